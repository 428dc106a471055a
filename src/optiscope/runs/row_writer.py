"""Rows in the order in which they come, into the segments of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optiscope.runs.batches import (
    NotANumber,
    RowGroup,
    block_batch,
    long_batch,
    metrics_batch,
    metrics_layout,
    number_matrix,
    row_layout,
    rows_batch,
    same_shape,
    timelines_of,
    to_number,
)
from optiscope.runs.rows import Block, Position, Row
from optiscope.runs.schema import LONG_SOURCE, Layout
from optiscope.runs.segments import SegmentSet
from optiscope.runs.trouble import Trouble

_MOST_SHAPES = 32

MetricsKey = tuple[tuple[str, ...], tuple[str, ...]]
BatchOf = Callable[[pa.Schema, RowGroup], pa.RecordBatch]


class RowWriter:
    """Collects rows, numbers them, and writes them as one record batch per layout.

    Nothing raises but what is fatal to the process: what cannot be recorded is noted in `trouble` and left out.
    """

    def __init__(self, segments: SegmentSet, trouble: Trouble, on_write_error: Callable[[OSError], None]) -> None:
        self.next_row = 0
        """Number of the next row in the run."""
        self.last_position: Position | None = None
        """The latest position of a row that is in a file."""
        self.last_values: dict[str, float] = {}
        """Last value of each user metric."""
        self.points_a_row = 1.0
        """Values in a row of metrics, lately."""
        self._segments = segments
        self._trouble = trouble
        self._on_write_error = on_write_error
        self._metrics: dict[MetricsKey, RowGroup] = {}
        self._current_names: tuple[str, ...] | None = None
        self._current_timelines: tuple[str, ...] = ()
        self._current_group = RowGroup()
        self._metrics_layouts: dict[MetricsKey, Layout] = {}
        self._rows: dict[Layout, RowGroup] = {}
        self._blocks: list[tuple[Layout, RowGroup, Block]] = []
        self._shapes: list[tuple[Row, Layout]] = []

    def add_metrics(self, position: Position, values: Mapping[str, Any]) -> None:
        """Take one row of user metrics."""
        if type(values) is not dict and not isinstance(values, Mapping):
            raise TypeError(f"metrics come as a mapping from name to number, not as {type(values).__name__}")
        names = tuple(values)
        timelines = timelines_of(position)
        group = self._current_group
        if names != self._current_names or timelines != self._current_timelines:
            group = self._metrics.setdefault((names, timelines), RowGroup())
            self._current_names, self._current_timelines, self._current_group = names, timelines, group
        group.rows.append(self.next_row)
        group.positions.append(position)
        group.values.append(values)
        self.next_row += 1

    def add_row(self, row: Row) -> None:
        """Take one row of arrays."""
        group = self._rows.setdefault(self._layout_of(row), RowGroup())
        group.rows.append(self.next_row)
        group.positions.append(row.position)
        group.values.append(row.values)
        self.next_row += 1

    def add_block(self, block: Block, first_row: int) -> None:
        """Take a block of rows; their places count from `first_row`."""
        numbers = [first_row + place for place in block.places]
        group = RowGroup(numbers, list(block.positions), [{}] * len(numbers))
        self._blocks.append((self._layout_of(block.first_row()), group, block))
        self.next_row = max(self.next_row, numbers[-1] + 1)

    def write(self) -> None:
        """Append all that was taken to the files."""
        blocks, self._blocks = self._blocks, []
        for layout, group, block in blocks:
            if layout.columns:
                self._write_block(layout, group, block)
        metrics, self._metrics = self._metrics, {}
        rows, self._rows = self._rows, {}
        self._current_names = None
        for (names, timelines), group in metrics.items():
            if names:
                self.points_a_row = float(len(names))
                self._write_metrics(names, timelines, group)
        for layout, group in rows.items():
            if layout.columns:
                self._write(layout, group, lambda schema, part, layout=layout: rows_batch(schema, layout, part))  # type: ignore[misc]

    # ----------------------------------------------------------------------------------------------- user metrics

    def _write_metrics(self, names: tuple[str, ...], timelines: tuple[str, ...], group: RowGroup) -> None:
        layout = self._metrics_layouts.get((names, timelines))
        if layout is None and all(map(_is_name, names)):
            layout = self._metrics_layouts[names, timelines] = metrics_layout(names, timelines)
        matrix = number_matrix(group.values) if layout is not None else None
        if matrix is None or layout is None:
            self._write_cleaned(group)
        elif self._segments.has_room_for(layout):
            self._write_matrix(layout, group, matrix)
            self.last_values.update(zip(names, matrix[-1].tolist(), strict=True))
        else:
            self._write_long(timelines, group)

    def _write_matrix(self, layout: Layout, group: RowGroup, matrix: NDArray[np.float64]) -> None:
        def build(schema: pa.Schema, part: RowGroup) -> pa.RecordBatch:
            whole = matrix if part is group else number_matrix(part.values)
            assert whole is not None
            return metrics_batch(schema, layout, part, whole)

        self._write(layout, group, build)

    def _write_long(self, timelines: tuple[str, ...], group: RowGroup) -> None:
        """One stored row per value, for sets of names that come after the limit of open files."""
        layout = Layout(source=LONG_SOURCE, timelines=timelines, columns=())
        long = RowGroup()
        for row, position, values in zip(group.rows, group.positions, group.values, strict=True):
            for name, value in values.items():
                number = to_number(value)
                long.rows.append(row)
                long.positions.append(position)
                long.values.append({name: number})
                self.last_values[name] = number
        self._write(layout, long, lambda schema, part: long_batch(schema, layout, part))

    def _write_cleaned(self, group: RowGroup) -> None:
        """Write rows with values that need a look: resolve what is pending, leave out what is no number."""
        cleaned: dict[MetricsKey, RowGroup] = {}
        for row, position, values in zip(group.rows, group.positions, group.values, strict=True):
            numbers: dict[str, float] = {}
            for name, value in values.items():
                if not _is_name(name):
                    self._trouble.note(
                        f"A metric is not recorded: its name {name!r} is not text that can be stored.",
                        about=f"name {name!r}",
                    )
                    continue
                try:
                    numbers[name] = to_number(value)
                except NotANumber as error:
                    self._trouble.note(
                        f"The metric {name!r} is not recorded: {error}. The rest of the row is. "
                        "Log numbers, or tensors of one element without dimensions.",
                        about=f"metric {name}",
                    )
            part = cleaned.setdefault((tuple(numbers), timelines_of(position)), RowGroup())
            part.rows.append(row)
            part.positions.append(position)
            part.values.append(numbers)
        for (names, timelines), part in cleaned.items():
            if names:
                self._write_metrics(names, timelines, part)

    # --------------------------------------------------------------------------------------------- rows of arrays

    def _layout_of(self, row: Row) -> Layout:
        for sample, layout in self._shapes:
            if same_shape(row, sample):
                return layout
        layout = row_layout(row, lambda name, message: self._note_value(row.source, name, message))
        self._shapes = [(row, layout), *self._shapes[: _MOST_SHAPES - 1]]
        return layout

    def _write_block(self, layout: Layout, group: RowGroup, block: Block) -> None:
        def build(schema: pa.Schema, part: RowGroup) -> pa.RecordBatch:
            return block_batch(schema, layout, part, block)

        # A block is made by the recorder and holds plain columns: either all of it can be written, or nothing.
        self._write(layout, group, build, divisible=False)

    def _note_value(self, source: str, name: str, message: str) -> None:
        self._trouble.note(
            f"{name!r} of {source!r} is not recorded: {message}. The rest of the row is.",
            about=f"value {source}/{name}",
        )

    # ---------------------------------------------------------------------------------------------------- writing

    def _write(self, layout: Layout, group: RowGroup, build: BatchOf, *, divisible: bool = True) -> None:
        try:
            # The batch first: one that cannot be built must not leave an empty segment behind.
            batch = build(self._segments.schema(layout), group)
            self._segments.append(self._segments.segment(layout), batch)
        except OSError as error:
            self._trouble.drop(len(group))
            self._on_write_error(error)
            return
        except Exception as error:
            if len(group) > 1 and divisible:
                # One row spoils the batch: write them one by one, so that only this one is lost.
                for index in range(len(group)):
                    self._write(layout, group.part(index), build)
                return
            self._trouble.drop(len(group))
            self._trouble.note(
                f"A row of {layout.source!r} is not recorded: {type(error).__name__}: {error}. Training goes on.",
                about=f"row of {layout.source}",
            )
            return
        last = group.positions[-1]
        if self.last_position is None or not last.seconds < self.last_position.seconds:
            self.last_position = last


def _is_name(name: object) -> bool:
    if type(name) is not str:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
