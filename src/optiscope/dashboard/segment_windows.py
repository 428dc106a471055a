"""The rows of a segment window by window, so that a file of any size takes little memory."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optiscope.errors import RunDamaged
from optiscope.runs.frames import BROKEN, scan_frames
from optiscope.runs.schema import TIMELINE_DTYPES, Layout

WINDOW = 8 * 2**20
"""Bytes of a segment that are in memory at once. A record batch that is larger is there as a whole."""


@dataclass(frozen=True)
class PartKey:
    """Which numbers of a segment make up a series."""

    name: str
    """Name in the segment."""
    index: int | None
    """Which column; None in a long segment, where the name selects the rows."""
    place: int = 0
    """Which element of a list column."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Some whole record batches of a segment."""

    end: int
    """Offset behind the last of them."""
    select: Callable[[PartKey], dict[str, NDArray[np.generic]]]
    """The rows of a series as columns: "value", the timelines, "offset" of the record batch and how many rows of the
    window come before that batch ("ordinal")."""
    names: tuple[str, ...] = ()
    """Names that occur, in a long segment."""


class SegmentWindows:
    """A segment that is read in windows and may grow meanwhile."""

    def __init__(self, path: Path) -> None:
        """Read the schema. Raises `RunDamaged` when there is none (yet), or none of ours."""
        self.path = path
        self.identity = identity_of(path)
        """Which file this is: another one under the same name has another."""
        try:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            stream = pa.BufferReader(pa.py_buffer(content))
            self._schema = pa.ipc.read_schema(stream)
            self.start = int(stream.tell())
            """Offset of the first record batch."""
            self.layout = Layout.from_schema(self._schema)
            """What its rows look like."""
        except BROKEN as error:
            raise RunDamaged(f"{path.name} is no segment, or not begun yet ({type(error).__name__}).") from error
        self._names: dict[str, None] = {}
        self._names_end = self.start

    def long_names(self) -> tuple[str, ...]:
        """The names in a long segment so far, in the order in which they appeared. Only new rows are read for it."""
        for window in self.windows(self._names_end):
            self._names |= dict.fromkeys(window.names)
            self._names_end = window.end
        return tuple(self._names)

    def windows(self, start: int, size: int = WINDOW) -> Iterator[Window]:
        """The whole record batches from the offset `start` on, about `size` bytes at once, as far as they go now.

        A batch that is not finished, or damaged, ends them, and so does a file that went away.
        """
        try:
            with self.path.open("rb") as file:
                at, length = start, size
                while (stop := file.seek(0, 2)) > at:
                    base = at - at % mmap.ALLOCATIONGRANULARITY
                    mapped = min(stop - base, at - base + length)
                    content = pa.py_buffer(mmap.mmap(file.fileno(), mapped, access=mmap.ACCESS_READ, offset=base))
                    window = self._window(content, at - base, base)
                    if window is None:
                        if base + mapped >= stop:
                            return
                        length *= 4  # the batch is larger than the window
                        continue
                    at, length = window.end, size
                    yield window
                    del window, content
        except OSError:
            return

    def _window(self, content: pa.Buffer, start: int, base: int) -> Window | None:
        return (self._long if self.layout.is_long else self._plain)(content, start, base)

    def _plain(self, content: pa.Buffer, start: int, base: int) -> Window | None:
        frames = scan_frames(content, self._schema, start)
        if not len(frames.offsets):
            return None
        counts = np.array([kind.rows for kind in frames.known], dtype=np.int64)[frames.kinds]
        leading = len(self.layout.timelines)
        flat = np.frombuffer(content, dtype=np.uint8)
        timelines = _positions(frames.offsets + base, counts)
        for index, name in enumerate(self.layout.timelines):
            timelines[name] = frames.column(flat, index, TIMELINE_DTYPES[name], 1)

        def select(key: PartKey) -> dict[str, NDArray[np.generic]]:
            column = self.layout.columns[key.index or 0]
            values = frames.column(flat, leading + (key.index or 0), column.dtype, column.width or 1)
            if column.width is not None:
                values = values.reshape(-1, column.width)[:, key.place]
            return {**timelines, "value": values.astype(np.float64, copy=False)}

        return Window(end=base + frames.end, select=select)

    def _long(self, content: pa.Buffer, start: int, base: int) -> Window | None:
        """Batches with text in them: each is decoded and checked."""
        stream = pa.BufferReader(content)
        stream.seek(start)
        messages = pa.ipc.MessageReader.open_stream(stream)
        batches, offsets, end = [], [], start
        try:
            while True:
                batch = pa.ipc.read_record_batch(messages.read_next_message(), self._schema)
                batch.validate(full=True)
                if any(column.null_count for column in batch.columns):
                    break
                batches.append(batch)
                offsets.append(end + base)
                end = stream.tell()
        except (StopIteration, *BROKEN):
            pass  # the end, the torn tail, or a batch that the window cuts
        if not batches:
            return None
        table = pa.Table.from_batches(batches, schema=self._schema)
        counts = np.array([batch.num_rows for batch in batches], dtype=np.int64)
        leading = len(self.layout.timelines)
        columns = _positions(np.array(offsets, dtype=np.int64), counts)
        columns |= {name: table.column(index).to_numpy() for index, name in enumerate(self.layout.timelines)}
        columns["value"] = table.column(leading + 1).to_numpy()
        names = table.column(leading).combine_chunks().dictionary_encode()
        numbers = {name: number for number, name in enumerate(names.dictionary.to_pylist())}
        indices = names.indices.to_numpy()

        def select(key: PartKey) -> dict[str, NDArray[np.generic]]:
            chosen = np.flatnonzero(indices == numbers.get(key.name, -1))
            selected: dict[str, NDArray[np.generic]] = {name: column[chosen] for name, column in columns.items()}
            selected["ordinal"] = np.searchsorted(chosen, selected["ordinal"])
            return selected

        return Window(end=base + end, select=select, names=tuple(numbers))


def identity_of(path: Path) -> tuple[int, int]:
    """What tells the file at `path` from another one that is put there later. (0, 0) when there is none."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino


def _positions(offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
    return {"offset": np.repeat(offsets, counts), "ordinal": np.repeat(np.cumsum(counts) - counts, counts)}
