"""The smallest and the largest value of each user metric of a run, kept up to date from what is appended.

Only new bytes are read, a few MiB at a time: a run of 1e8 points costs no more memory than one of 1e4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optiscope.runs.frames import BROKEN, scan_frames
from optiscope.runs.schema import LONG_SOURCE, METRICS_SOURCE, TIMELINE_DTYPES, Layout

PIECE = 4 * 2**20
"""Bytes that are read at a time, if a record batch is not longer."""

_SOURCE_KEY = b"optiscope.source"
_PREFIX = struct.Struct("<Ii")
_LONGEST_SCHEMA = 64 * 2**20
_LONGEST_BATCH = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Extremes:
    """The finite extremes of one metric."""

    low: float
    """Smallest finite value."""
    low_step: int
    """Step of the first row that has it."""
    high: float
    """Largest finite value."""
    high_step: int
    """Step of the first row that has it."""

    def joined(self, later: Extremes) -> Extremes:
        """Those of both; a `later` one has to be better to count."""
        low, high = later.low < self.low, later.high > self.high
        return Extremes(
            later.low if low else self.low,
            later.low_step if low else self.low_step,
            later.high if high else self.high,
            later.high_step if high else self.high_step,
        )


@dataclass(slots=True)
class _Segment:
    """How far one segment was read."""

    inode: int
    schema: pa.Schema | None
    """None for a segment that holds no user metrics."""
    layout: Layout | None
    offset: int


@dataclass(slots=True)
class MetricExtremes:
    """The extremes of one run's metrics."""

    found: dict[str, Extremes] = field(default_factory=dict)
    """By name of the metric; those without a finite value are absent."""
    _segments: dict[str, _Segment] = field(default_factory=dict)

    def update(self, files: Mapping[Path, tuple[int, int]]) -> bool:
        """Read what is new in the segments `files`, given with inode and size; whether something was.

        A segment that was replaced or has shrunk, as when a run is written over, begins everything anew.
        """
        known = {path.name for path in files}
        stale = any(each not in known for each in self._segments) or any(
            (segment := self._segments.get(path.name)) is not None and (segment.inode != inode or size < segment.offset)
            for path, (inode, size) in files.items()
        )
        if stale:
            self.found.clear()
            self._segments.clear()
        is_new = stale
        for path, (inode, size) in sorted(files.items()):
            segment = self._segments.get(path.name)
            if segment is not None and (segment.schema is None or size <= segment.offset):
                continue
            is_new |= self._read(path, inode, segment)
        return is_new

    def _read(self, path: Path, inode: int, segment: _Segment | None) -> bool:
        try:
            with path.open("rb", buffering=0) as file:
                if segment is None:
                    segment = _begun(file, inode)
                    if segment is None:
                        return False  # its schema is not whole yet
                    self._segments[path.name] = segment
                if segment.schema is None or segment.layout is None:
                    return False
                began = segment.offset
                for name, extremes in _news(file, segment):
                    known = self.found.get(name)
                    self.found[name] = extremes if known is None else known.joined(extremes)
                return segment.offset > began
        except BROKEN:
            return False


def _begun(file: BinaryIO, inode: int) -> _Segment | None:
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    length = _PREFIX.unpack(prefix)[1]
    if not 0 < length <= _LONGEST_SCHEMA:
        return _Segment(inode, None, None, 0)
    content = file.read(length)
    if len(content) < length:
        return None
    schema = pa.ipc.read_schema(pa.py_buffer(prefix + content))
    source = (schema.metadata or {}).get(_SOURCE_KEY, b"").decode()
    if source not in {METRICS_SOURCE, LONG_SOURCE}:
        return _Segment(inode, None, None, 0)
    return _Segment(inode, schema, Layout.from_schema(schema), _PREFIX.size + length)


def _news(file: BinaryIO, segment: _Segment) -> Iterator[tuple[str, Extremes]]:
    """The extremes of each piece behind the segment's offset, which moves on with them."""
    length = PIECE
    while True:
        file.seek(segment.offset)
        content = file.read(length)
        buffer = pa.py_buffer(content)
        if segment.layout is not None and segment.layout.is_long:
            end, found = _long(buffer, segment)
        else:
            end, found = _wide(buffer, segment)
        yield from found
        segment.offset += end
        if len(content) < length:
            return
        # A record batch that is longer than the piece asks for a longer one; what is never whole is no batch.
        length = PIECE if end else length * 2
        if length > _LONGEST_BATCH:
            return


def _wide(buffer: pa.Buffer, segment: _Segment) -> tuple[int, list[tuple[str, Extremes]]]:
    layout = segment.layout
    frames = scan_frames(buffer, segment.schema, 0)
    if layout is None or not len(frames.offsets):
        return frames.end, []
    content = np.frombuffer(buffer, dtype=np.uint8)
    place = layout.timelines.index("step")
    steps = frames.column(content, place, TIMELINE_DTYPES["step"], 1)
    found = []
    for index, column in enumerate(layout.columns, start=len(layout.timelines)):
        if column.labels is None:
            extremes = _extremes(steps, frames.column(content, index, column.dtype, 1))
            found += [(column.name, extremes)] if extremes is not None else []
    return frames.end, found


def _long(buffer: pa.Buffer, segment: _Segment) -> tuple[int, list[tuple[str, Extremes]]]:
    """The same for rows of one name and one value each."""
    stream = pa.BufferReader(buffer)
    messages = pa.ipc.MessageReader.open_stream(stream)
    end, found = 0, []
    try:
        while True:
            batch = pa.ipc.read_record_batch(messages.read_next_message(), segment.schema)
            batch.validate(full=True)
            end = stream.tell()
            names = batch.column(batch.num_columns - 2).dictionary_encode()
            values = batch.column(batch.num_columns - 1).to_numpy()
            steps, numbers = batch.column(1).to_numpy(), names.indices.to_numpy()
            for number, name in enumerate(names.dictionary.to_pylist()):
                chosen = numbers == number
                extremes = _extremes(steps[chosen], values[chosen])
                found += [(name, extremes)] if extremes is not None else []
    except (StopIteration, *BROKEN):
        pass  # the end, or the torn tail
    return end, found


def _extremes(steps: NDArray[np.generic], values: NDArray[np.generic]) -> Extremes | None:
    finite = np.isfinite(values)
    if not finite.all():
        steps, values = steps[finite], values[finite]
    if not len(values):
        return None
    low, high = int(values.argmin()), int(values.argmax())
    return Extremes(float(values[low]), int(steps[low]), float(values[high]), int(steps[high]))


_LARGER_IS_BETTER = frozenset(
    {"acc", "accuracy", "ap", "auc", "auroc", "bleu", "dice", "elbo", "f1", "hits", "iou", "likelihood", "map"}
    | {"precision", "psnr", "r2", "recall", "return", "reward", "rouge", "score", "ssim", "top1", "top5"}
)
_LOSSES = frozenset({"cost", "err", "error", "loss", "nll", "perplexity", "ppl"})


def larger_is_better(name: str) -> bool:
    """Whether the metric `name` is one of those that are to grow, such as an accuracy: by the words in its name.

    Any other is taken for a loss. `test_accuracy`, `val/F1` and `top5-acc` grow; `precision_loss` does not.
    """
    words = "".join(each if each.isalnum() else " " for each in name.casefold()).split()
    return not _LOSSES.intersection(words) and not _LARGER_IS_BETTER.isdisjoint(words)


def best_values(found: Mapping[str, Extremes], names: Iterable[str]) -> dict[str, tuple[float, int]]:
    """The best finite value and its step, of those of `names` that have one."""
    best = {}
    for name in names:
        extremes = found.get(name)
        if extremes is not None:
            larger = larger_is_better(name)
            best[name] = (extremes.high, extremes.high_step) if larger else (extremes.low, extremes.low_step)
    return best
