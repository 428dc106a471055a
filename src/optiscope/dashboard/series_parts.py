"""The parts of series in the segments of runs, each with its buckets, kept between requests and brought up to date."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from optiscope.dashboard.buckets import BucketTable, Columns
from optiscope.dashboard.containment import RunsFolder
from optiscope.dashboard.segment_windows import WINDOW, PartKey, SegmentWindows, Window, identity_of
from optiscope.errors import ArgumentError, RunError
from optiscope.runs.files import segment_files
from optiscope.runs.run_file import read_run_file
from optiscope.runs.schema import RUN_FILE
from optiscope.runs.segment_reader import SegmentReader
from optiscope.runs.series_table import SeriesTable

_SLACK = 2**16
"""Bytes read beyond where the last wanted record batch begins, at first."""

_LARGEST_WINDOW = 4 * WINDOW
"""Bytes that rows are read again from at once."""


class Part:
    """The rows of a series in one segment: their buckets, and how far the segment was read for them."""

    def __init__(self, segment: SegmentWindows, key: PartKey, share: int = 1) -> None:
        """Nothing is read yet. The series has `share` parts."""
        self.segment = segment
        """Where the rows are."""
        self.key = key
        """Which numbers of it."""
        self.table = BucketTable(share)
        """What is known of them."""
        self.end = segment.start
        """Offset behind what was read."""
        self.steps: tuple[int, int] | None = None
        """Smallest and largest step; None without rows."""

    def take(self, window: Window) -> None:
        """Take up the rows of the next window."""
        columns = window.select(self.key)
        self.end = window.end
        if not len(columns["value"]):
            return
        columns["ordinal"] = columns["ordinal"] + self.table.rows
        low, high = int(columns["step"].min()), int(columns["step"].max())
        self.steps = (low, high) if self.steps is None else (min(low, self.steps[0]), max(high, self.steps[1]))
        self.table.extend(columns)

    def touched(self, low: int, high: int) -> NDArray[np.int64]:
        """Indices of the buckets that may hold rows with steps from `low` to `high`.

        The index behind the last full bucket stands for the rows that do not fill one yet.
        """
        whole = self.table.whole
        indices = np.flatnonzero((whole["step_high"] >= low) & (whole["step_low"] <= high))
        if self.table.pending_rows and len(_within(self.table.pending, low, high)["step"]):
            indices = np.append(indices, len(whole))
        return indices

    def rows_of(self, indices: NDArray[np.int64], low: int, high: int) -> Iterator[Columns]:
        """The rows with steps from `low` to `high` in the buckets `indices` (ascending), piece by piece."""
        whole, width = self.table.whole, self.table.width
        full = indices[indices < len(whole)]
        for run in np.split(full, np.flatnonzero(np.diff(full) != 1) + 1):
            if len(run):
                yield from self._read(int(run[0]), int(run[-1]) + 1, width, low, high)
        if len(full) < len(indices):
            yield _within(self.table.pending, low, high)

    def _read(self, first: int, stop: int, width: int, low: int, high: int) -> Iterator[Columns]:
        """The rows of the buckets from `first` to before `stop`, read from the file again."""
        whole = self.table.whole
        begin, at = int(whole["offset"][first]), int(whole["ordinal"][first])
        behind = int(whole["offset"][stop]) if stop < len(whole) else self.end
        for window in self.segment.windows(begin, min(behind - begin + _SLACK, _LARGEST_WINDOW)):
            columns = window.select(self.key)
            rows = slice(max(0, first * width - at), max(0, stop * width - at))
            at += len(columns["value"])
            yield _within({name: column[rows] for name, column in columns.items()}, low, high)
            if at >= stop * width:
                return


def _within(columns: Columns, low: int, high: int) -> Columns:
    steps = np.asarray(columns["step"], dtype=np.int64)
    is_inside = (steps >= low) & (steps <= high)
    return {name: column[is_inside] for name, column in columns.items()}


class _RunState:
    """The segments of a run, and which parts each of its series has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.segments: dict[str, SegmentWindows] = {}
        self.table = SeriesTable(path.name)
        self._signature: object = None
        self._id: object = None
        self._long_names: dict[str, tuple[str, ...]] = {}

    def refresh(self) -> None:
        """Look at the files: new segments, segments that are others now, another run in the same folder."""
        signature = _signature(self.path / RUN_FILE)
        if signature != self._signature:
            identity = _run_id(self.path)
            if identity != self._id:
                self.segments, self._long_names = {}, {}
            self._signature, self._id = signature, identity
        present = {file.name: file for file in segment_files(self.path)}
        kept = {
            name: segment
            for name, segment in self.segments.items()
            if name in present and identity_of(present[name]) == segment.identity
        }
        changed = len(kept) < len(self.segments)
        for name, file in present.items():
            if name not in kept:
                try:
                    kept[name] = SegmentWindows(file)
                except RunError:
                    continue  # not begun yet, or no segment at all; opening the run says which
                changed = True
        self.segments = kept
        long_names = {name: segment.long_names() for name, segment in kept.items() if segment.layout.is_long}
        if changed or long_names != self._long_names:
            self._long_names = long_names
            # What the table asks of a segment to find names is its path, its layout and its long names.
            segments = cast("list[SegmentReader]", [kept[name] for name in sorted(kept)])
            self.table = SeriesTable.of(segments, self.path.name)

    def keys(self, name: str) -> list[tuple[str, PartKey]]:
        """Of each part of the series `name`, its segment and which numbers of it. Empty when there is no such series.

        Raises `ArgumentError` for a series with labels whose name comes without one.
        """
        parts = self.table.series.get(name, [])
        if parts and parts[0].column.labels is not None:
            label = (parts[0].column.labels or ("",))[0]
            raise ArgumentError(
                f"{name!r} has a number per label: name one, such as {f'{name}/{label}'!r}. Received: {name!r}."
            )
        if parts:
            return [(part.segment.path.name, PartKey(part.column.name, part.index)) for part in parts]
        found = []
        for series, parts in self.table.series.items():
            label = name[len(series) + 1 :]
            if name.startswith(f"{series}/") and parts[0].column.labels is not None:
                found += [
                    (part.segment.path.name, PartKey(part.column.name, part.index, part.column.labels.index(label)))
                    for part in parts
                    if part.column.labels is not None and label in part.column.labels
                ]
        return found


class PartCache:
    """Parts of series with their buckets, as many as fit into the memory; those that were used last stay."""

    def __init__(self, folder: str | os.PathLike[str], limit: int) -> None:
        """Of the runs in `folder`, with about `limit` bytes. Raises `RunNotFound` without a folder."""
        self._folder = RunsFolder(folder)
        self._limit = limit
        self._lock = threading.Lock()
        self._runs: dict[str, _RunState] = {}
        self._parts: OrderedDict[tuple[str, str, PartKey], Part] = OrderedDict()

    @property
    def bytes(self) -> int:
        """Bytes of all buckets."""
        with self._lock:
            return sum(part.table.bytes for part in self._parts.values())

    @contextmanager
    def of(self, run: str, names: Sequence[str]) -> Iterator[dict[str, list[Part]]]:
        """The parts of the series `names` of the run `run`, up to date and not changed by others meanwhile.

        Names of which the run has no series are left out. Raises `RunNotFound`, and `ArgumentError` for a name
        without its label.
        """
        state = self._state(run)
        with state.lock:
            state.refresh()
            series: dict[str, list[Part]] = {}
            for name in names:
                keys = state.keys(name)
                if keys:
                    series[name] = [self._part(state, run, file, key, len(keys)) for file, key in keys]
            _bring_up_to_date([part for parts in series.values() for part in parts])
            try:
                yield series
            finally:
                self._make_room()

    def _state(self, run: str) -> _RunState:
        try:
            path = self._folder.run(run)
        except RunError:
            with self._lock:
                self._runs.pop(run, None)
                for key in [key for key in self._parts if key[0] == run]:
                    del self._parts[key]
            raise
        with self._lock:
            return self._runs.setdefault(run, _RunState(path))

    def _part(self, state: _RunState, run: str, file: str, key: PartKey, share: int) -> Part:
        segment = state.segments[file]
        with self._lock:
            part = self._parts.get((run, file, key))
            if part is None or part.segment is not segment or _size(segment.path) < part.end:
                part = self._parts[run, file, key] = Part(segment, key, share)
            self._parts.move_to_end((run, file, key))
        return part

    def _make_room(self) -> None:
        with self._lock:
            held = sum(part.table.bytes for part in self._parts.values())
            while held > self._limit and self._parts:
                held -= self._parts.popitem(last=False)[1].table.bytes


def _bring_up_to_date(parts: Sequence[Part]) -> None:
    """Read what is new, in one pass for all parts that are equally far in the same segment."""
    together: dict[tuple[SegmentWindows, int], dict[PartKey, Part]] = {}
    for part in parts:
        together.setdefault((part.segment, part.end), {})[part.key] = part
    for (segment, end), group in together.items():
        if _size(segment.path) > end:
            for window in segment.windows(end):
                for part in group.values():
                    part.take(window)


def _run_id(path: Path) -> object:
    try:
        return read_run_file(path).get("id")
    except (RunError, OSError):
        return None


def _signature(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
