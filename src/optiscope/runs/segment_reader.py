"""One segment read back: as far as its record batches are whole, and not a byte further."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from optiscope.errors import RunDamaged
from optiscope.runs.schema import END_OF_STREAM, Layout

_BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, EOFError)
"""What Arrow raises at bytes that are no segment."""


class SegmentReader:
    """A segment as it was when it was opened: later rows are not seen."""

    def __init__(self, path: Path) -> None:
        """Map the file and read its schema. Raises `RunDamaged` with the reason when it is no segment."""
        self.path = path
        try:
            self.size = path.stat().st_size
            if self.size == 0:
                raise RunDamaged("it is empty")
            with pa.memory_map(str(path)) as source:
                self._content = source.read_buffer(self.size)
            self.size = self._content.size
            stream = pa.BufferReader(self._content)
            self._schema = pa.ipc.read_schema(stream)
            self._first_batch = stream.tell()
            self.layout = Layout.from_schema(self._schema)
        except _BROKEN as error:
            raise RunDamaged(_reason(error)) from error

    @cached_property
    def end(self) -> int:
        """Offset behind the last whole record batch, or behind the mark that ends the stream."""
        return self._scan(self._first_batch)

    def end_after(self, offset: int) -> bool:
        """Look only behind `offset`, an earlier `end`, for whole batches; whether there are any."""
        start = max(offset, self._first_batch)
        if start > self._first_batch:
            self.__dict__["end"] = self._scan(start)
        return bool(self.end > start)

    def _scan(self, start: int) -> int:
        stream = pa.BufferReader(self._content)
        stream.seek(start)
        messages = pa.ipc.MessageReader.open_stream(stream)
        end = start
        try:
            while messages.read_next_message().type == "record batch":
                end = stream.tell()
        except (StopIteration, *_BROKEN):
            pass  # the end, or the torn tail
        is_marked = self._content[end : end + len(END_OF_STREAM)].to_pybytes() == END_OF_STREAM
        return int(end) + (len(END_OF_STREAM) if is_marked else 0)

    @property
    def torn_bytes(self) -> int:
        """Bytes behind `end`: a batch that was not finished, or what something else appended."""
        return self.size - self.end

    def table(self, columns: Sequence[int], *, start: int = 0) -> pa.Table:
        """The timelines and the columns with the indices `columns` of the batches from the offset `start` on.

        Without `start` nothing is copied. Frames that look whole but hold garbage end the segment: `end` moves back.
        """
        leading = len(self.layout.timelines)
        fields = [*range(leading), *(leading + index for index in columns)]
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        try:
            table = pa.ipc.open_stream(pa.BufferReader(self._stretch(start)), options=options).read_all()
            table.validate(full=self.layout.is_long)  # names are text, and text can be wrong
        except _BROKEN:
            self.__dict__["end"] = self._end_of_valid_batches()
            table = pa.ipc.open_stream(pa.BufferReader(self._stretch(start)), options=options).read_all()
        # The fields come in the order of the file; a caller may want another.
        return table.select([sorted(fields).index(field) for field in fields])

    def furthest(self) -> tuple[int, int, float] | None:
        """Largest row number, step and seconds in the segment; None without rows."""
        table = self.table(())
        if not table.num_rows:
            return None
        rows, steps, seconds = (table.column(index).to_numpy() for index in range(3))
        return int(rows.max()), int(steps.max()), float(np.fmax.reduce(seconds, initial=0.0))

    def verify(self) -> None:
        """Decode everything once, so that `end` excludes frames of garbage."""
        self.table(range(len(self._schema) - len(self.layout.timelines)))

    def _stretch(self, start: int) -> pa.Buffer:
        if start <= self._first_batch:
            return self._content[: self.end]
        return pa.py_buffer(
            self._content[: self._first_batch].to_pybytes() + self._content[start : self.end].to_pybytes()
        )

    def _end_of_valid_batches(self) -> int:
        stream = pa.BufferReader(self._content)
        stream.seek(self._first_batch)
        messages = pa.ipc.MessageReader.open_stream(stream)
        end = self._first_batch
        try:
            while True:
                batch = pa.ipc.read_record_batch(messages.read_next_message(), self._schema)
                batch.validate(full=self.layout.is_long)
                end = stream.tell()
        except (StopIteration, *_BROKEN):
            return int(end)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is gone"
    if isinstance(error, PermissionError):
        return "it may not be read: check its permissions"
    if isinstance(error, pa.ArrowException | EOFError):
        return (
            f"it does not begin like a segment ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        )
    return str(error)
