"""One segment read back: as far as its record batches are whole, and not a byte further."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optiscope.errors import RunDamaged
from optiscope.runs.frames import BROKEN, Frames, scan_frames
from optiscope.runs.schema import END_OF_STREAM, TIMELINE_DTYPES, Layout


class SegmentReader:
    """A segment as it was when it was opened: later rows are not seen."""

    def __init__(self, path: Path, *, start: int = 0) -> None:
        """Map the file and read its schema.

        With `start`, the `end` of an earlier reader, the segment is only what comes behind.
        Raises `RunDamaged` with the reason when the file is no segment.
        """
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
            self.start = max(start, stream.tell())
            """Offset of the first batch that is read."""
            self.layout = Layout.from_schema(self._schema)
        except BROKEN as error:
            raise RunDamaged(_reason(error)) from error

    @property
    def end(self) -> int:
        """Offset behind the last whole record batch, or behind the mark that ends the stream."""
        end = self._long[1] if self.layout.is_long else self._frames.end
        is_marked = self._content[end : end + len(END_OF_STREAM)].to_pybytes() == END_OF_STREAM
        return end + (len(END_OF_STREAM) if is_marked else 0)

    @property
    def torn_bytes(self) -> int:
        """Bytes behind `end`: a batch that was not finished, or what something else appended."""
        return self.size - self.end

    @cached_property
    def timelines(self) -> dict[str, NDArray[Any]]:
        """The leading columns of all rows, by name."""
        if self.layout.is_long:
            table = self._long[0]
            return {name: table.column(index).to_numpy() for index, name in enumerate(self.layout.timelines)}
        return {name: self._column(index, TIMELINE_DTYPES[name], 1) for index, name in enumerate(self.layout.timelines)}

    def values(self, index: int) -> NDArray[Any]:
        """The values of the column `index`: [rows], or [rows, width] of a list column. A view, if in one piece."""
        column = self.layout.columns[index]
        flat = self._column(len(self.layout.timelines) + index, column.dtype, column.width or 1)
        return flat if column.width is None else flat.reshape(-1, column.width)

    def long_names(self) -> tuple[str, ...]:
        """The names in a long segment, in the order in which they appeared."""
        return tuple(self._names.dictionary.to_pylist())

    def long_values(self, name: str) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
        """Timelines and values of the rows of `name` in a long segment."""
        chosen = np.flatnonzero(self._names.indices.to_numpy() == self.long_names().index(name))
        values = self._long[0].column(len(self.layout.timelines) + 1).to_numpy()[chosen]
        return {timeline: column[chosen] for timeline, column in self.timelines.items()}, values

    def furthest(self) -> tuple[int, int, float] | None:
        """Largest row number, step and seconds in the segment; None without rows."""
        rows, steps, seconds = (self.timelines[name] for name in ("row", "step", "seconds"))
        if not len(rows):
            return None
        return int(rows.max()), int(steps.max()), float(np.fmax.reduce(seconds, initial=0.0))

    def _column(self, index: int, dtype: str, width: int) -> NDArray[Any]:
        return self._frames.column(self._bytes, index, dtype, width)

    @cached_property
    def _bytes(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._content, dtype=np.uint8)

    @cached_property
    def _frames(self) -> Frames:
        return scan_frames(self._content, self._schema, self.start)

    @cached_property
    def _long(self) -> tuple[pa.Table, int]:
        """The rows of a long segment and the offset behind them. Its batches hold text, so each is checked."""
        stream = pa.BufferReader(self._content)
        stream.seek(self.start)
        messages = pa.ipc.MessageReader.open_stream(stream)
        batches, end = [], self.start
        try:
            while True:
                batch = pa.ipc.read_record_batch(messages.read_next_message(), self._schema)
                batch.validate(full=True)
                if any(column.null_count for column in batch.columns):
                    break
                batches.append(batch)
                end = stream.tell()
        except (StopIteration, *BROKEN):
            pass  # the end, or the torn tail
        return pa.Table.from_batches(batches, schema=self._schema), int(end)

    @cached_property
    def _names(self) -> pa.DictionaryArray:
        return self._long[0].column(len(self.layout.timelines)).combine_chunks().dictionary_encode()


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
