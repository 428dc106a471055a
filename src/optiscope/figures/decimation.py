"""Fewer points to draw, without losing a spike or a value that is not finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

POINTS = 4000
"""Points that a line is thinned to by default: more than a screen has columns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decimation:
    """Which rows of a series to draw."""

    rows: Int64[np.ndarray, " kept"]
    """Rows to draw, ascending. Rows that are not finite are among them, so that a line has a gap there."""
    marks: Int64[np.ndarray, " marks"]
    """First row of each bucket whose value is NaN or infinite."""
    counts: Int64[np.ndarray, " marks"]
    """Values of that bucket that are NaN or infinite."""
    total: int
    """Rows of the series."""

    @property
    def thinned(self) -> bool:
        """True when not every row is drawn."""
        return len(self.rows) < self.total


def decimate(values: Float[np.ndarray, " rows"], limit: int = POINTS) -> Decimation:
    """Keep the first, last, smallest and largest finite value and the first non-finite one of each bucket of rows.

    At most about `limit` rows are kept. The extremes of the whole series, its ends, and every stretch of rows that
    holds a NaN or an infinity survive: a single spike in ten million values is still drawn.
    """
    total = len(values)
    finite = np.isfinite(values)
    if total <= limit:
        marks = np.flatnonzero(~finite)
        return Decimation(rows=np.arange(total, dtype=np.int64), marks=marks, counts=np.ones_like(marks), total=total)
    whole = bool(finite.all())
    buckets = max(1, limit // (4 if whole else 5) - 1)
    width = total // buckets
    # The remainder that does not fill a bucket is a last, shorter bucket.
    parts = [_extremes(values[: buckets * width].reshape(buckets, width), None if whole else finite[: buckets * width])]
    if buckets * width < total:
        rest = slice(buckets * width, total)
        tail = _extremes(values[rest].reshape(1, -1), None if whole else finite[rest])
        parts.append((tail[0] + buckets * width, tail[1] + buckets * width, tail[2]))
    rows, marks, counts = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return Decimation(rows=np.unique(rows), marks=marks, counts=counts, total=total)


def _extremes(
    grid: Float[np.ndarray, "buckets width"], finite: np.ndarray | None
) -> tuple[Int64[np.ndarray, " rows"], Int64[np.ndarray, " marks"], Int64[np.ndarray, " marks"]]:
    buckets, width = grid.shape
    starts = np.arange(buckets, dtype=np.int64) * width
    low, high = grid.argmin(axis=1), grid.argmax(axis=1)
    marks = counts = np.empty(0, dtype=np.int64)
    if finite is not None:
        mask = finite.reshape(buckets, width)
        broken = np.flatnonzero(~mask.all(axis=1))
        # argmin and argmax mean nothing in the buckets that hold NaN; only these are gone through again.
        low[broken] = np.where(mask[broken], grid[broken], np.inf).argmin(axis=1)
        high[broken] = np.where(mask[broken], grid[broken], -np.inf).argmax(axis=1)
        marks = starts[broken] + (~mask[broken]).argmax(axis=1)
        counts = (~mask[broken]).sum(axis=1).astype(np.int64)
    rows = np.concatenate([starts, starts + width - 1, starts + low, starts + high, marks])
    return rows, marks, counts
