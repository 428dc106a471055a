"""From segments to series: which names a run has, and where the rows of each lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiscope.runs.schema import (
    HISTOGRAM_SOURCE,
    METRICS_SOURCE,
    NONFINITE_SUFFIX,
    Column,
    fixed_edges,
    segment_number,
)
from optiscope.runs.segment_reader import SegmentReader
from optiscope.runs.series import HistogramSeries, Series


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one name in one segment."""

    segment: SegmentReader
    """Where they are."""
    index: int | None
    """Which column; None in a long segment, where `column.name` selects the rows."""
    column: Column
    """What the column holds."""


@dataclass(slots=True)
class _Stretch:
    """Rows read from one part, before they are put in order with those of others."""

    timelines: dict[str, NDArray[Any]]
    values: NDArray[Any]
    column: Column


@dataclass(slots=True)
class SeriesTable:
    """All names of a run, with what each is made of. Nothing is read before a name is asked for."""

    run_name: str
    series: dict[str, list[Part]] = field(default_factory=dict)
    """Parts of each series, by its name in the run."""
    histograms: dict[str, list[Part]] = field(default_factory=dict)
    """Parts of each histogram and of its companion "<kind>/nonfinite", by name."""

    @classmethod
    def of(cls, segments: Sequence[SegmentReader], run_name: str) -> SeriesTable:
        """The names in `segments`. User metrics come first, in the order in which they appeared."""
        table = cls(run_name)
        owners: dict[str, tuple[str, bool]] = {}
        for segment in sorted(segments, key=_rank):
            layout = segment.layout
            if layout.source == HISTOGRAM_SOURCE:
                for index, column in enumerate(layout.columns):
                    is_companion = column.name.endswith(NONFINITE_SUFFIX)
                    if is_companion == (column.bins is None) and column.labels is not None:
                        table.histograms.setdefault(column.name, []).append(Part(segment, index, column))
                continue
            columns: Iterable[tuple[int | None, Column]] = enumerate(layout.columns)
            if layout.is_long:
                columns = ((None, Column(name=name)) for name in segment.long_names())
            origin = METRICS_SOURCE if layout.is_long else layout.source
            for place, column in columns:
                name = column.name
                owner = (origin, column.labels is not None)
                # Two sources, or a number and a list, under one name are two series: the later one says whose it is.
                while owners.setdefault(name, owner) != owner:
                    name = f"{origin}/{name}"
                table.series.setdefault(name, []).append(Part(segment, place, column))
        return table

    def read(self, name: str) -> Series:
        """The series `name`, its rows in the order of their seconds, and of their numbers where these are equal.

        Labels of different segments are united, with NaN where a row has none. Raises `KeyError` for another name.
        """
        stretches = [_read(part) for part in self.series[name]]
        labels = _union(stretches)
        timelines, order = _joined_timelines(stretches)
        values = _joined_values(stretches, labels)
        return Series(
            name=name,
            steps=timelines["step"],
            seconds=timelines["seconds"],
            values=values if order is None else values[order],
            labels=labels or (),
            epochs=timelines.get("epoch"),
            samples=timelines.get("samples"),
            run_name=self.run_name,
        )

    def read_histograms(self, kind: str) -> HistogramSeries:
        """The histograms of `kind`. Rows with other bins than the last are left out. Raises `KeyError`."""
        parts = self.histograms[kind]
        bins = parts[-1].column.bins or 1
        edges = parts[-1].column.edges
        parts = [part for part in parts if part.column.bins == bins and part.column.edges == edges]
        stretches = [_read(part) for part in parts]
        labels = _union(stretches) or ()
        timelines, order = _joined_timelines(stretches)
        counts = _joined_counts(stretches, labels, bins)
        nonfinite = np.zeros((len(counts), len(labels)), dtype=np.int64)
        companions = {
            part.segment: part for part in self.histograms.get(kind + NONFINITE_SUFFIX, ()) if part.column.bins is None
        }
        row = 0
        for part, stretch in zip(parts, stretches, strict=True):
            rows = len(stretch.values)
            companion = companions.get(part.segment)
            if companion is not None and companion.column.labels == part.column.labels:
                columns = [labels.index(label) for label in part.column.labels or ()]
                nonfinite[row : row + rows, columns] = _read(companion).values
            row += rows
        if edges is None and bins == len(fixed_edges()) - 1:
            edges = tuple(fixed_edges())
        return HistogramSeries(
            name=kind,
            steps=timelines["step"],
            seconds=timelines["seconds"],
            counts=counts if order is None else counts[order],
            nonfinite=nonfinite if order is None else nonfinite[order],
            edges=np.array(edges if edges is not None else np.full(bins + 1, np.nan), dtype=np.float64),
            labels=labels,
            run_name=self.run_name,
        )


def _rank(segment: SegmentReader) -> tuple[bool, str, int]:
    source = segment.layout.source
    return not source.startswith(METRICS_SOURCE), source, segment_number(segment.path.name)


def _read(part: Part) -> _Stretch:
    if part.index is None:
        timelines, values = part.segment.long_values(part.column.name)
        return _Stretch(timelines, values, part.column)
    return _Stretch(part.segment.timelines, part.segment.values(part.index), part.column)


def _union(stretches: Sequence[_Stretch]) -> tuple[str, ...] | None:
    if stretches[0].column.labels is None:
        return None
    return tuple(dict.fromkeys(label for stretch in stretches for label in stretch.column.labels or ()))


def _joined_timelines(stretches: Sequence[_Stretch]) -> tuple[dict[str, NDArray[Any]], NDArray[np.intp] | None]:
    """The timelines of all rows in recorded order, and that order, or None when they are in order as they come."""
    names = [name for name in stretches[0].timelines if len(stretches) == 1]
    if len(stretches) == 1:
        joined = {name: stretches[0].timelines[name] for name in names}
    else:
        joined = {}
        for name in ("row", "step", "seconds", "epoch", "samples"):
            if any(name in stretch.timelines for stretch in stretches):
                joined[name] = np.concatenate(
                    [stretch.timelines.get(name, np.full(len(stretch.values), np.nan)) for stretch in stretches]
                )
    seconds, rows = joined["seconds"], joined["row"]
    is_later = (seconds[1:] > seconds[:-1]) | ((seconds[1:] == seconds[:-1]) & (rows[1:] >= rows[:-1]))
    if np.all(is_later):
        return joined, None
    order = np.lexsort((rows, seconds))
    return {name: column[order] for name, column in joined.items()}, order


def _joined_values(stretches: Sequence[_Stretch], labels: tuple[str, ...] | None) -> NDArray[Any]:
    if len(stretches) == 1:
        return stretches[0].values
    if labels is None or all(stretch.column.labels == labels for stretch in stretches):
        return np.concatenate([stretch.values for stretch in stretches])
    dtype = np.result_type(np.float32, *(stretch.values.dtype for stretch in stretches))
    joined = np.full((sum(len(stretch.values) for stretch in stretches), len(labels)), np.nan, dtype=dtype)
    _place(joined, stretches, labels)
    return joined


def _joined_counts(stretches: Sequence[_Stretch], labels: tuple[str, ...], bins: int) -> NDArray[np.int64]:
    joined = np.zeros((sum(len(stretch.values) for stretch in stretches), len(labels), bins), dtype=np.int64)
    for stretch in stretches:
        stretch.values = stretch.values.reshape(len(stretch.values), len(stretch.column.labels or ()), bins)
    _place(joined, stretches, labels)
    return joined


def _place(joined: NDArray[Any], stretches: Sequence[_Stretch], labels: tuple[str, ...]) -> None:
    row = 0
    for stretch in stretches:
        rows = len(stretch.values)
        joined[row : row + rows, [labels.index(label) for label in stretch.column.labels or ()]] = stretch.values
        row += rows
