"""One segment read back: as far as its record batches are whole, and not a byte further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optiscope.errors import RunDamaged
from optiscope.runs.schema import Layout

_BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, EOFError)
"""What Arrow raises at bytes that are no segment."""


@dataclass(frozen=True, kw_only=True)
class Timelines:
    """The leading columns of a stretch of rows."""

    rows: NDArray[np.int64]
    """Number of each row in the run; decides the order over segments."""
    steps: NDArray[np.int64]
    """Optimizer steps completed."""
    seconds: NDArray[np.float64]
    """Time since the run began, in seconds."""
    epochs: NDArray[np.float64] | None
    """Epoch, when the rows have one."""
    samples: NDArray[np.float64] | None
    """Samples seen, when the rows have them."""


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
        return self._end_of_batches(self._first_batch)

    @property
    def torn_bytes(self) -> int:
        """Bytes behind `end`: a batch that was not finished, or what something else appended."""
        return self.size - self.end

    def table(self, columns: Sequence[int], *, start: int = 0) -> pa.Table:
        """The timelines and the columns with the indices `columns` of the batches from the offset `start` on.

        Without `start` nothing is copied. Batches that turn out to be garbage end the table.
        """
        leading = len(self.layout.timelines)
        fields = [*range(leading), *(leading + index for index in columns)]
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        if start > self._first_batch:
            parts = self._content[: self._first_batch].to_pybytes() + self._content[start : self.end].to_pybytes()
            content = pa.py_buffer(parts)
        else:
            content = self._content[: self.end]
        batches = []
        schema = pa.schema([self._schema.field(index) for index in fields])
        try:
            return pa.ipc.open_stream(pa.BufferReader(content), options=options).read_all()
        except _BROKEN:
            # A frame that looked whole holds garbage. Keep what comes before it.
            try:
                for batch in pa.ipc.open_stream(pa.BufferReader(content), options=options):
                    batches.append(batch)
            except _BROKEN:
                pass
        return pa.Table.from_batches(batches, schema=schema)

    def _end_of_batches(self, start: int) -> int:
        stream = pa.BufferReader(self._content)
        stream.seek(start)
        messages = pa.ipc.MessageReader.open_stream(stream)
        end = start
        try:
            while True:
                message = messages.read_next_message()
                if message.type != "record batch":
                    break
                end = stream.tell()
        except StopIteration:
            end = stream.tell()
        except _BROKEN:
            pass
        return int(end)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is gone"
    if isinstance(error, PermissionError):
        return "it may not be read: check its permissions"
    if isinstance(error, pa.ArrowException | EOFError):
        return f"it does not begin like a segment ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    return str(error)
