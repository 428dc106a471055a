"""Rows of a series summed up in buckets that lose no spike, no NaN and no infinity, and grow with the series.

A bucket stands for a number of rows and has five of them as points: the first, the last, the smallest and the largest
finite one, and the first that is not finite. Buckets can be merged, so that a short summary of many rows is
made from the long one, without the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

POINT = np.dtype([
    ("row", "i8"),
    ("step", "i8"),
    ("seconds", "f8"),
    ("epoch", "f8"),
    ("samples", "f8"),
    ("value", "f8"),
])  # fmt: skip
"""One row of a series: its timelines, NaN where it has none, and its value."""

CORNERS = ("first", "low", "high", "broken", "last")
"""The points of a bucket: first row, smallest, largest, first that is not finite, last row."""

BUCKET = np.dtype([
    ("rows", "i8"),
    ("nans", "i8"),
    ("positive_infinities", "i8"),
    ("negative_infinities", "i8"),
    ("step_low", "i8"),
    ("step_high", "i8"),
    ("offset", "i8"),
    ("ordinal", "i8"),
    *((corner, POINT) for corner in CORNERS),
])  # fmt: skip
"""One bucket: how many rows, how many of them are not finite, their smallest and largest step, and its points.

`offset` is where in the file the record batch of its first row begins, and `ordinal` is how many rows come before that
batch. `low` and `high` mean nothing without a finite row, `broken` means nothing without one that is not.
"""

FINEST = 16
"""Rows of a bucket while the series is short."""
COARSEST = 512
"""Rows of a bucket at most."""
MOST_FINE = 2048
"""Buckets of a series at which their number is halved, until they are at their coarsest."""
_FEWEST_FINE = 64
"""The same for one of very many tables that a series has."""

Columns = Mapping[str, NDArray[np.generic]]
"""Rows as columns: "value", the timelines that there are, "offset" and "ordinal" of each row's record batch."""


def points_of(columns: Columns, rows: NDArray[np.integer]) -> NDArray[np.void]:
    """The rows at the indices `rows` as points."""
    points = np.empty(len(rows), dtype=POINT)
    for name in POINT.names or ():
        points[name] = columns[name][rows] if name in columns else np.nan
    return points


def stretch_of(columns: Columns, rows: slice) -> dict[str, NDArray[np.generic]]:
    """A stretch of the rows, as columns."""
    return {name: column[rows] for name, column in columns.items()}


def summarise(columns: Columns, width: int) -> NDArray[np.void]:
    """Buckets of `width` rows each, from a whole number of times as many rows."""
    values: NDArray[np.float64] = np.asarray(columns["value"], dtype=np.float64).reshape(-1, width)
    steps = columns["step"].reshape(-1, width)
    starts = np.arange(len(values), dtype=np.int64) * width
    buckets = np.zeros(len(values), dtype=BUCKET)
    buckets["rows"] = width
    buckets["step_low"], buckets["step_high"] = steps.min(axis=1), steps.max(axis=1)
    buckets["offset"], buckets["ordinal"] = columns["offset"][starts], columns["ordinal"][starts]
    low, high = values.argmin(axis=1), values.argmax(axis=1)
    finite = np.isfinite(values)
    broken = np.flatnonzero(~finite.all(axis=1))
    if len(broken):
        # argmin and argmax mean nothing in buckets that hold NaN; only these are gone through again.
        mixed, mask = values[broken], finite[broken]
        low[broken] = np.where(mask, mixed, np.inf).argmin(axis=1)
        high[broken] = np.where(mask, mixed, -np.inf).argmax(axis=1)
        buckets["nans"][broken] = np.isnan(mixed).sum(axis=1)
        buckets["positive_infinities"][broken] = np.isposinf(mixed).sum(axis=1)
        buckets["negative_infinities"][broken] = np.isneginf(mixed).sum(axis=1)
        buckets["broken"][broken] = points_of(columns, starts[broken] + (~mask).argmax(axis=1))
    buckets["first"], buckets["last"] = points_of(columns, starts), points_of(columns, starts + width - 1)
    buckets["low"], buckets["high"] = points_of(columns, starts + low), points_of(columns, starts + high)
    return buckets


def nonfinite_of(buckets: NDArray[np.void]) -> NDArray[np.int64]:
    """How many rows of each bucket are NaN or infinite."""
    return np.asarray(buckets["nans"] + buckets["positive_infinities"] + buckets["negative_infinities"], dtype=np.int64)


def merge(buckets: NDArray[np.void], starts: NDArray[np.integer]) -> NDArray[np.void]:
    """The buckets from each of `starts` (ascending, from 0, no two equal) to the next, as one bucket each."""
    merged = np.zeros(len(starts), dtype=BUCKET)
    for name in ("rows", "nans", "positive_infinities", "negative_infinities"):
        merged[name] = np.add.reduceat(buckets[name], starts)
    merged["step_low"] = np.minimum.reduceat(buckets["step_low"], starts)
    merged["step_high"] = np.maximum.reduceat(buckets["step_high"], starts)
    for name in ("offset", "ordinal", "first"):
        merged[name] = buckets[name][starts]
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(buckets)))
    nonfinite = nonfinite_of(buckets)
    is_finite = nonfinite < buckets["rows"]
    low = np.where(is_finite, buckets["low"]["value"], np.inf)
    high = np.where(is_finite, buckets["high"]["value"], -np.inf)
    seconds = buckets["last"]["seconds"]
    chosen = {
        "low": is_finite & (low == np.minimum.reduceat(low, starts)[group]),
        "high": is_finite & (high == np.maximum.reduceat(high, starts)[group]),
        "broken": nonfinite > 0,
    }
    for name, mask in chosen.items():
        found = np.flatnonzero(mask)
        groups, places = np.unique(group[found], return_index=True)
        merged[name][groups] = buckets[name][found[places]]
    # The last row is that of the latest bucket, which need not be the last one where several files interleave.
    ends = np.append(starts[1:], len(buckets)) - 1
    merged["last"] = buckets["last"][ends]
    found = np.flatnonzero(seconds > seconds[ends][group])
    if len(found):
        found = found[np.lexsort((seconds[found], group[found]))]
        groups, places = np.unique(group[found][::-1], return_index=True)
        merged["last"][groups] = buckets["last"][found[::-1][places]]
    return merged


class BucketTable:
    """The buckets of a growing series. The work is that of the new rows, and the rows themselves are not kept."""

    def __init__(self, share: int = 1) -> None:
        """A table of a series that has `share` tables together: each then has fewer fine buckets."""
        self.width = FINEST
        """Rows of each bucket now."""
        self.pending: dict[str, NDArray[np.generic]] = {}
        """The newest rows, too few for a bucket, as columns."""
        self.pending_rows = 0
        """How many these are."""
        self._most_fine = max(_FEWEST_FINE, MOST_FINE // max(1, share) // 2 * 2)
        self._count = 0
        self._buckets = np.empty(64, dtype=BUCKET)

    @property
    def whole(self) -> NDArray[np.void]:
        """The buckets that are full, in the order of the rows. Not to be changed."""
        return self._buckets[: self._count]

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._count * self.width + self.pending_rows

    @property
    def bytes(self) -> int:
        """Bytes of memory."""
        return self._buckets.nbytes + sum(column.nbytes for column in self.pending.values())

    def extend(self, columns: Columns) -> None:
        """Take further rows."""
        total = len(columns["value"])
        at = 0
        if self.pending_rows:
            at = min(self.width - self.pending_rows, total)
            head = stretch_of(columns, slice(0, at))
            joined = {name: np.concatenate([self.pending[name], column]) for name, column in head.items()}
            self.pending, self.pending_rows = joined, self.pending_rows + at
            if self.pending_rows < self.width:
                return
            self.pending, self.pending_rows = {}, 0
            self._append(summarise(joined, self.width))
        while total - at >= self.width:
            number = (total - at) // self.width
            if self.width < COARSEST:
                number = min(number, self._most_fine - self._count)
            rows = slice(at, at + number * self.width)
            self._append(summarise(stretch_of(columns, rows), self.width))
            at = rows.stop
        if at < total:
            # Copies: what was given are views of a file.
            self.pending = {name: column[at:].copy() for name, column in columns.items()}
            self.pending_rows = total - at

    def _append(self, buckets: NDArray[np.void]) -> None:
        count = self._count + len(buckets)
        if count > len(self._buckets):
            grown = np.empty(max(count, len(self._buckets) * 5 // 4), dtype=BUCKET)
            grown[: self._count] = self.whole
            self._buckets = grown
        self._buckets[self._count : count] = buckets
        self._count = count
        if self._count >= self._most_fine and self.width < COARSEST:
            halved = merge(self.whole, np.arange(0, self._count, 2))
            self._count = len(halved)
            self._buckets[: self._count] = halved
            self.width *= 2
