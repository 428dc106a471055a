"""Rows into Arrow record batches: user metrics by the thousand, and rows of arrays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from numpy.typing import NDArray

from optiscope.runs.rows import Block, PendingValue, Position, Row
from optiscope.runs.schema import (
    HISTOGRAM_SOURCE,
    METRICS_SOURCE,
    NONFINITE_SUFFIX,
    OPTIONAL_TIMELINES,
    REQUIRED_TIMELINES,
    TIMELINE_DTYPES,
    Column,
    Layout,
)

_PLAIN_TYPES = frozenset({float, int, bool, np.float64, np.float32, np.float16, np.int64, np.int32, np.bool_})
"""Types that become a float without a look at the single value."""


class NotANumber(ValueError):
    """A value cannot be recorded as a number. The message says what it is."""


@dataclass(slots=True)
class RowGroup:
    """Rows that share a layout, on their way into one record batch."""

    rows: list[int] = field(default_factory=list)
    """Number of each row in the run."""
    positions: list[Position] = field(default_factory=list)
    """Position of each row."""
    values: list[Mapping[str, Any]] = field(default_factory=list)
    """Values of each row, by name."""

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, index: int) -> RowGroup:
        """The group of row `index` alone."""
        return RowGroup([self.rows[index]], [self.positions[index]], [self.values[index]])


def to_number(value: object) -> float:
    """One user value as a float: a number, something zero-dimensional, or a pending value. Raises `NotANumber`."""
    if type(value) in _PLAIN_TYPES:
        return _float(value)
    if isinstance(value, PendingValue):
        try:
            value = value.resolve()
        except Exception as error:
            raise NotANumber(f"its transfer failed: {type(error).__name__}: {error}") from error
        return _float(value)
    if isinstance(value, str | bytes | bytearray):
        raise NotANumber(f"it is {_shortly(value)}")
    if getattr(value, "ndim", 0) != 0:
        raise NotANumber(f"it is an array of shape {getattr(value, 'shape', '?')}; log one number, such as its mean")
    if isinstance(value, complex | np.complexfloating) or not hasattr(value, "__float__"):
        raise NotANumber(f"it is {_shortly(value)}")
    return _float(value)


def _float(value: Any) -> float:
    try:
        return float(value)
    except Exception as error:
        raise NotANumber(f"it is {_shortly(value)} ({type(error).__name__}: {error})") from error


def _shortly(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = "an object that cannot print itself"
    return f"{text if len(text) <= 80 else text[:77] + '…'} of type {type(value).__name__}"


def arrow_array(elements: NDArray[Any]) -> pa.Array:
    """A contiguous array as Arrow has it, of the same memory.

    `pyarrow.array` would first import pandas where it is installed: half a second, on the writer's thread or at exit.
    """
    return pa.Array.from_buffers(pa.from_numpy_dtype(elements.dtype), len(elements), [None, pa.py_buffer(elements)])


def arrow_texts(texts: Sequence[str]) -> pa.Array:
    """Texts as Arrow has them; not by `pyarrow.array` for the same reason."""
    encoded = [text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in encoded])]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )


def timelines_of(position: Position) -> tuple[str, ...]:
    """The timelines that a row at `position` has."""
    if position.epoch is None and position.samples is None:
        return REQUIRED_TIMELINES
    present = (position.epoch is not None, position.samples is not None)
    return REQUIRED_TIMELINES + tuple(name for name, there in zip(OPTIONAL_TIMELINES, present, strict=True) if there)


def metrics_layout(names: tuple[str, ...], timelines: tuple[str, ...]) -> Layout:
    """The layout of rows of plain numbers."""
    return Layout(source=METRICS_SOURCE, timelines=timelines, columns=tuple(Column(name=name) for name in names))


def number_matrix(values: Sequence[Mapping[str, object]]) -> Float64[np.ndarray, "rows names"] | None:
    """The values of rows with equal names as one matrix, or None when some need a closer look.

    Only the first and the last row are looked at: the others are converted at once, and what has no float form makes
    that fail. This is the path of every number that a user logs, and it decides how many a second there can be.
    """
    if not set(map(type, chain(values[0].values(), values[-1].values()))) <= _PLAIN_TYPES:
        return None
    flat = array("d")
    try:
        for row in values:
            flat.extend(row.values())  # type: ignore[arg-type]
    except Exception:
        return None  # whatever it was, the closer look names it
    return np.frombuffer(flat, dtype=np.float64).reshape(len(values), -1)


def timeline_arrays(timelines: tuple[str, ...], group: RowGroup) -> list[pa.Array]:
    """The leading columns of a batch. Raises `NotANumber` when a position holds something else."""
    positions = group.positions
    columns: dict[str, list[Any]] = {
        "row": group.rows,
        "step": [position.step for position in positions],
        "seconds": [position.seconds for position in positions],
    }
    if "epoch" in timelines:
        columns["epoch"] = [position.epoch for position in positions]
    if "samples" in timelines:
        columns["samples"] = [position.samples for position in positions]
    try:
        return [arrow_array(np.array(columns[name], dtype=TIMELINE_DTYPES[name])) for name in timelines]
    except (TypeError, ValueError, OverflowError) as error:
        raise NotANumber(f"its position has something that is no number ({error})") from error


def metrics_batch(schema: pa.Schema, layout: Layout, group: RowGroup, matrix: NDArray[np.float64]) -> pa.RecordBatch:
    """One batch of metrics, a column per name."""
    columns = np.ascontiguousarray(matrix.T)
    arrays = timeline_arrays(layout.timelines, group)
    arrays += [arrow_array(column) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def long_batch(schema: pa.Schema, layout: Layout, group: RowGroup) -> pa.RecordBatch:
    """One batch of single named values. Each mapping in the group has one item, a float."""
    names, numbers = zip(*(next(iter(row.items())) for row in group.values), strict=True)
    arrays = timeline_arrays(layout.timelines, group)
    arrays += [arrow_texts(names), arrow_array(np.array(numbers, dtype=np.float64))]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def row_layout(row: Row, on_fault: Callable[[str, str], None]) -> Layout:
    """The layout of a row of arrays and numbers. What cannot be stored is left out and told to `on_fault`."""
    columns = []
    for name, value in row.values.items():
        try:
            column = _column(row, name, value)
        except NotANumber as error:
            on_fault(name, str(error))
            continue
        if column is not None:
            columns.append(column)
    return Layout(source=row.source, timelines=timelines_of(row.position), columns=tuple(columns))


def _column(row: Row, name: str, value: object) -> Column | None:
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return Column(name=name)
    if value.size == 0:
        return None
    labels = tuple(row.labels[name]) if name in row.labels else _labels_of_kin(row, name, value)
    is_histogram = row.source == HISTOGRAM_SOURCE and not name.endswith(NONFINITE_SUFFIX)
    if not labels or value.size % len(labels) or (value.size != len(labels) and not is_histogram):
        raise NotANumber(f"it has {value.size} elements for {len(labels)} labels")
    edges = None if row.edges is None else tuple(float(edge) for edge in row.edges)
    return Column(
        name=name,
        dtype=_stored_dtype(value),
        labels=labels,
        bins=value.size // len(labels) if is_histogram else None,
        edges=edges if is_histogram else None,
    )


def _labels_of_kin(row: Row, name: str, value: NDArray[np.generic]) -> tuple[str, ...]:
    """Labels for an array that came without: those of the histogram that it belongs to, else its indices."""
    kin = row.labels.get(name.removesuffix(NONFINITE_SUFFIX))
    return tuple(kin) if kin is not None else tuple(str(index) for index in range(len(value)))


def _stored_dtype(value: NDArray[np.generic]) -> str:
    match value.dtype.kind, value.dtype.itemsize:
        case "f", 2 | 4:
            return "float32"
        case "f", _:
            return "float64"
        case "i" | "u", _:
            return str(value.dtype.newbyteorder("="))
        case "b", _:
            return "uint8"
    raise NotANumber(f"it is an array of {value.dtype}")


def rows_batch(schema: pa.Schema, layout: Layout, group: RowGroup) -> pa.RecordBatch:
    """One batch of rows of arrays and numbers, all of one layout."""
    arrays = timeline_arrays(layout.timelines, group)
    for column in layout.columns:
        values = [row[column.name] for row in group.values]
        if column.width is None:
            arrays.append(arrow_array(np.array([to_number(value) for value in values], dtype=np.float64)))
            continue
        flat = np.empty((len(values), column.width), dtype=column.dtype)
        for index, value in enumerate(values):
            flat[index] = value.ravel()
        element_type = schema.field(len(arrays)).type
        arrays.append(pa.FixedSizeListArray.from_arrays(arrow_array(flat.ravel()), type=element_type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def block_batch(schema: pa.Schema, layout: Layout, group: RowGroup, block: Block) -> pa.RecordBatch:
    """One batch from whole columns; `group` has the numbers and positions of the block's rows."""
    arrays = timeline_arrays(layout.timelines, group)
    for column in layout.columns:
        numbers = arrow_array(np.ascontiguousarray(block.values[column.name], dtype=column.dtype).ravel())
        element_type = schema.field(len(arrays)).type
        arrays.append(
            numbers if column.width is None else pa.FixedSizeListArray.from_arrays(numbers, type=element_type)
        )
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def same_shape(row: Row, other: Row) -> bool:
    """Whether two rows have one layout, found without building it: the usual case, many times a second."""
    if row.source != other.source or row.values.keys() != other.values.keys() or row.edges is not other.edges:
        return False
    if timelines_of(row.position) != timelines_of(other.position) or row.labels != other.labels:
        return False
    return all(_form(value) == _form(other.values[name]) for name, value in row.values.items())


def _form(value: object) -> tuple[object, ...]:
    return (value.dtype, value.shape) if isinstance(value, np.ndarray) else ()
