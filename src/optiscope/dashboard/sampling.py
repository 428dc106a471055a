"""A few thousand points of any range of steps of a series of any length, without losing a spike, a NaN or an infinity.

A series is read once, in windows, into buckets (`buckets.py`), which stay in memory and take up appended rows. A
request is answered from the buckets inside its range; rows are read again only at the two ends of the range, or all
of them where the range is so short that the buckets would be too coarse for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from optiscope.dashboard.buckets import (
    BUCKET,
    CORNERS,
    POINT,
    Columns,
    merge,
    nonfinite_of,
    stretch_of,
    summarise,
)
from optiscope.dashboard.series_parts import Part, PartCache
from optiscope.errors import ArgumentError

POINTS = 4000
"""Points of a series at most by default: more than a screen has columns."""
FEWEST_POINTS, MOST_POINTS = 10, 100_000
"""What can be asked for."""
CACHE_BYTES = 96 * 2**20
"""Memory for buckets of all series together."""
_MOST_RAW_ROWS = 2**19
"""Rows that are read again for one series at most."""
_FEW_RAW_ROWS = 4096
"""Rows beyond two for each point up to which they are always read again: so a short range has every row."""
_NAMES_AT_ONCE = 64
"""Series whose buckets are made in one pass over the files."""
_WIDEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Some points of one series of one run. All of them were recorded; nothing is averaged."""

    run_name: str
    """Name of the run."""
    name: str
    """Name of the series; "<name>/<label>" for one label of a series that has labels."""
    steps: Int64[np.ndarray, " points"]
    """Optimizer steps completed at each point. Points are in recorded order: a resumed run may go back."""
    seconds: Float[np.ndarray, " points"]
    """Time since the run began, in seconds."""
    epochs: Float[np.ndarray, " points"] | None
    """Epoch of each point, NaN where it has none; None when no point has one."""
    samples: Float[np.ndarray, " points"] | None
    """Samples seen at each point, likewise."""
    values: Float[np.ndarray, " points"]
    """The values, NaN and infinities among them."""
    buckets: Int64[np.ndarray, " points"]
    """Which bucket each point is of. The points of a bucket are its first and last row, its smallest and largest finite
    value, and the first that is not finite; a row that is several of these is there once."""
    bucket_rows: Int64[np.ndarray, " buckets"]
    """Rows that each bucket stands for."""
    nans: Int64[np.ndarray, " buckets"]
    """How many of them are NaN."""
    positive_infinities: Int64[np.ndarray, " buckets"]
    """How many of them are +∞."""
    negative_infinities: Int64[np.ndarray, " buckets"]
    """How many of them are −∞."""
    rows: int
    """Rows in the range of steps."""
    rows_of_series: int
    """Rows of the whole series by now."""
    steps_of_series: tuple[int, int] | None
    """Smallest and largest step of the whole series; None without rows."""

    @property
    def is_thinned(self) -> bool:
        """True when there are rows in the range that are not among the points."""
        return len(self.steps) < self.rows


class Sampler:
    """Samples the series of the runs in a folder. It can be used by several threads at once."""

    def __init__(self, folder: str | os.PathLike[str], *, cache_bytes: int = CACHE_BYTES) -> None:
        """Sample runs of `folder`, with about `cache_bytes` of memory. Raises `RunNotFound` without a folder."""
        self._parts = PartCache(folder, cache_bytes)

    def sample(
        self,
        runs: Sequence[str],
        names: Sequence[str],
        step_range: tuple[int | None, int | None] | None = None,
        points: int = POINTS,
    ) -> list[Sample]:
        """At most `points` points of each series `names` of each run `runs`, as the files are now.

        Args:
            runs: Names of runs in the folder.
            names: Names of series; one label of a series with labels is "<name>/<label>". Runs that have no such
                series have no sample of it.
            step_range: First and last step, both included; None for an open end, or for the whole series.
            points: Points of a sample at most, from 10 to 100,000.

        Raises:
            ArgumentError: The range or `points` cannot be, or a name without its label is a series with labels.
            RunNotFound: There is no such run in the folder.
        """
        if not FEWEST_POINTS <= points <= MOST_POINTS:
            raise ArgumentError(
                f"A sample has between {FEWEST_POINTS} and {MOST_POINTS} points. Received: points={points!r}."
            )
        low, high = step_range or (None, None)
        low, high = -_WIDEST if low is None else low, _WIDEST if high is None else high
        if low > high:
            raise ArgumentError(f"A range of steps goes from a smaller to a larger one. Received: {step_range!r}.")
        samples = []
        wanted = list(dict.fromkeys(names))
        for run in dict.fromkeys(runs):
            for first in range(0, len(wanted), _NAMES_AT_ONCE):
                with self._parts.of(run, wanted[first : first + _NAMES_AT_ONCE]) as series:
                    samples += [_sample(run, name, parts, low, high, points) for name, parts in series.items()]
        return samples


def _sample(run: str, name: str, parts: Sequence[Part], low: int, high: int, points: int) -> Sample:
    chosen = _chosen(parts, low, high, points)
    buckets = _at_most(chosen, _number_of_buckets(chosen, points))
    drawn, places = _points(buckets)
    spans = [part.steps for part in parts if part.steps is not None]
    return Sample(
        run_name=run,
        name=name,
        steps=drawn["step"].copy(),
        seconds=drawn["seconds"].copy(),
        epochs=_unless_empty(drawn["epoch"]),
        samples=_unless_empty(drawn["samples"]),
        values=drawn["value"].copy(),
        buckets=places,
        bucket_rows=buckets["rows"].copy(),
        nans=buckets["nans"].copy(),
        positive_infinities=buckets["positive_infinities"].copy(),
        negative_infinities=buckets["negative_infinities"].copy(),
        rows=int(buckets["rows"].sum()),
        rows_of_series=sum(part.table.rows for part in parts),
        steps_of_series=(min(span[0] for span in spans), max(span[1] for span in spans)) if spans else None,
    )


def _chosen(parts: Sequence[Part], low: int, high: int, points: int) -> NDArray[np.void]:
    """Buckets of the rows with steps from `low` to `high`, in recorded order: of one row each if they are few."""
    touched = [part.touched(low, high) for part in parts]
    number = sum(len(each) for each in touched)
    rows = sum(len(each) * part.table.width for each, part in zip(touched, parts, strict=True))
    # Half as many buckets as the points would allow still look the same, and spare reading a large range again.
    is_coarse = number < points // (2 * (len(CORNERS) - 1)) or rows <= 2 * points + _FEW_RAW_ROWS
    if is_coarse and rows <= _MOST_RAW_ROWS:
        return _in_order(_raw(parts, touched, low, high, points))
    found = []
    for part, indices in zip(parts, touched, strict=True):
        full = indices[indices < len(part.table.whole)]
        buckets = part.table.whole if len(full) == len(part.table.whole) else part.table.whole[full]
        is_inside = (buckets["step_low"] >= low) & (buckets["step_high"] <= high)
        # Still more than is wanted of all parts together, so that these can be put in order and merged evenly.
        found.append(_at_most(buckets if is_inside.all() else buckets[is_inside], points))
        at_ends = np.concatenate([full[~is_inside], indices[len(full) :]])
        found += [_summary(rows) for rows in part.rows_of(at_ends, low, high)]
    return _in_order(np.concatenate(found))


def _raw(
    parts: Sequence[Part], touched: Sequence[NDArray[np.int64]], low: int, high: int, points: int
) -> NDArray[np.void]:
    """Buckets straight from the rows: of one row each when they are not too many."""
    pieces = [
        piece
        for part, indices in zip(parts, touched, strict=True)
        for piece in part.rows_of(indices, low, high)
        if len(piece["value"])
    ]
    if not pieces:
        return np.empty(0, dtype=BUCKET)
    names = dict.fromkeys(name for piece in pieces for name in piece)
    columns: dict[str, NDArray[np.generic]] = {
        name: np.concatenate([piece.get(name, np.full(len(piece["value"]), np.nan)) for piece in pieces])
        for name in names
    }
    order = np.lexsort((columns["row"], columns["seconds"]))
    if np.any(order[1:] < order[:-1]):
        columns = {name: column[order] for name, column in columns.items()}
    total = len(order)
    if total <= points:
        return summarise(columns, 1)
    number = points // (len(CORNERS) if not np.isfinite(columns["value"]).all() else len(CORNERS) - 1)
    width = -(-total // number)
    full = total // width * width
    found = [summarise(stretch_of(columns, slice(0, full)), width)]
    if full < total:
        found.append(_summary(stretch_of(columns, slice(full, total))))
    return np.concatenate(found)


def _summary(columns: Columns) -> NDArray[np.void]:
    """One bucket of all rows; none without rows."""
    total = len(columns["value"])
    return summarise(columns, total) if total else np.empty(0, dtype=BUCKET)


def _in_order(buckets: NDArray[np.void]) -> NDArray[np.void]:
    seconds, rows = buckets["first"]["seconds"], buckets["first"]["row"]
    order = np.lexsort((rows, seconds))
    return buckets[order] if np.any(order[1:] < order[:-1]) else buckets


def _number_of_buckets(buckets: NDArray[np.void], points: int) -> int:
    """Into how many buckets these may go so that their points are not too many."""
    if buckets["rows"].sum() <= points:
        return points
    return points // (len(CORNERS) if nonfinite_of(buckets).any() else len(CORNERS) - 1)


def _at_most(buckets: NDArray[np.void], number: int) -> NDArray[np.void]:
    """Not more than `number` buckets of about equally many rows, merged from `buckets`."""
    if len(buckets) <= number:
        return buckets
    before = np.cumsum(buckets["rows"]) - buckets["rows"]
    group = before * number // int(before[-1] + buckets["rows"][-1])
    return merge(buckets, np.flatnonzero(np.diff(group, prepend=-1)))


def _points(buckets: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """The points of the buckets in recorded order, each once, and which bucket each is of."""
    nonfinite = nonfinite_of(buckets)
    present = {"broken": nonfinite > 0, "low": nonfinite < buckets["rows"], "high": nonfinite < buckets["rows"]}
    points, places = [], []
    for corner in CORNERS:
        indices = np.flatnonzero(present.get(corner, np.ones(len(buckets), dtype=bool)))
        points.append(buckets[corner][indices])
        places.append(indices)
    joined = np.concatenate(points) if points else np.empty(0, dtype=POINT)
    place = np.concatenate(places).astype(np.int64)
    order = np.lexsort((place, joined["row"], joined["seconds"]))
    joined, place = joined[order], place[order]
    is_new = np.ones(len(joined), dtype=bool)
    is_new[1:] = (np.diff(joined["row"]) != 0) | (np.diff(place) != 0)
    return joined[is_new], place[is_new]


def _unless_empty(column: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return None if np.isnan(column).all() else column.copy()
