"""Append-only segment files: whole Arrow IPC messages, each written in one call, so that a kill tears one at most."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from optiscope.runs.schema import END_OF_STREAM, METRICS_SOURCE, SERIES_FOLDER, Layout, segment_name

LARGEST_SEGMENT = 256 * 2**20
"""Bytes after which a new segment begins."""
MOST_METRIC_SETS = 32
"""Sets of user metrics that may have a segment of their own; rows of further sets go to the long segment."""

Write = Callable[[int, memoryview], int]


class SegmentFile:
    """One segment, open for appending."""

    def __init__(self, path: Path, layout: Layout, schema: pa.Schema, write: Write) -> None:
        """Create the file and write its schema. Raises `OSError`; then no file stays behind."""
        self.path = path
        self.layout = layout
        self.size = 0
        self._write = write
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666
        )
        try:
            self._append(schema.serialize())
        except OSError:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise

    def append(self, batch: pa.RecordBatch) -> int:
        """Append one record batch and return its bytes. Raises `OSError`; the file must then be abandoned."""
        if os.fstat(self._descriptor).st_nlink == 0:
            raise FileNotFoundError(f"{self.path.name} was deleted while it was being written")
        return self._append(batch.serialize())

    def _append(self, message: pa.Buffer) -> int:
        remaining = memoryview(message)
        while remaining:
            remaining = remaining[self._write(self._descriptor, remaining) :]
        self.size += message.size
        return int(message.size)

    def synchronise(self) -> None:
        """Wait until the file is on the disk."""
        os.fsync(self._descriptor)

    def close(self, *, complete: bool) -> None:
        """Close the file; a `complete` one gets the end-of-stream mark and is on the disk when this returns."""
        try:
            if complete:
                self._append(pa.py_buffer(END_OF_STREAM))
                self.synchronise()
        finally:
            os.close(self._descriptor)


class SegmentSet:
    """The open segments of a run, one per layout."""

    def __init__(self, run_path: Path, write: Write = os.write, *, largest: int = LARGEST_SEGMENT) -> None:
        """Segments go to the series folder of the run at `run_path`. `write` is what appends bytes to a descriptor."""
        self._folder = run_path / SERIES_FOLDER
        self._write = write
        self._largest = largest
        self._open: dict[Layout, SegmentFile] = {}
        self._schemas: dict[Layout, pa.Schema] = {}
        self._next_number: dict[str, int] = {}
        self._metric_sets: set[Layout] = set()
        self.bytes_written = 0

    def has_room_for(self, layout: Layout) -> bool:
        """Whether rows of user metrics of this `layout` get a segment of their own."""
        return layout in self._metric_sets or len(self._metric_sets) < MOST_METRIC_SETS

    def schema(self, layout: Layout) -> pa.Schema:
        """The Arrow schema of the segments of `layout`."""
        schema = self._schemas.get(layout)
        if schema is None:
            schema = self._schemas[layout] = layout.to_schema()
        return schema

    def segment(self, layout: Layout) -> SegmentFile:
        """The segment that takes the next rows of `layout`. Raises `OSError` when none can be made."""
        segment = self._open.get(layout)
        if segment is not None and segment.size >= self._largest:
            del self._open[layout]
            segment.close(complete=True)
            segment = None
        if segment is None:
            segment = self._create(layout)
            self._open[layout] = segment
            self.bytes_written += segment.size
            if layout.source == METRICS_SOURCE:
                self._metric_sets.add(layout)
        return segment

    def append(self, segment: SegmentFile, batch: pa.RecordBatch) -> None:
        """Append `batch`. Raises `OSError`; the next rows of this layout then begin a new segment."""
        try:
            self.bytes_written += segment.append(batch)
        except OSError:
            # What is torn stays: the reader knows how to skip it, and cutting a file that a reader has mapped kills it.
            self._open.pop(segment.layout, None)
            segment.close(complete=False)
            raise

    def close(self) -> None:
        """Close all segments, on the disk. Raises the first `OSError` after all were tried."""
        first: OSError | None = None
        for segment in self._open.values():
            try:
                segment.close(complete=True)
            except OSError as error:
                first = first or error
        self._open.clear()
        if first is not None:
            raise first

    def _create(self, layout: Layout) -> SegmentFile:
        number = self._next_number.get(layout.source, 0)
        while True:
            path = self._folder / segment_name(layout.source, number)
            number += 1
            try:
                segment = SegmentFile(path, layout, self.schema(layout), self._write)
            except FileExistsError:
                continue
            self._next_number[layout.source] = number
            return segment
