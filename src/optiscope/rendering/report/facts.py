"""What a series comes to, in a few numbers: where it began, where it ended, its extremes and what was not finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optiscope.analysis.final import final_value, final_window
from optiscope.runs.series import Series


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One series in a few numbers. Values are None when the series has no finite value."""

    name: str
    """Name of the series."""
    rows: int
    """Number of recordings."""
    labels: int
    """Number of columns; 0 for a series with one number a row."""
    first_step: int | None
    """Step of the first recording."""
    last_step: int | None
    """Step of the last recording."""
    first: float | None
    """First value; None for a series with labels."""
    last: float | None
    """Last value; None for a series with labels."""
    recent: float | None
    """Final value: mean over the last twentieth of the rows, NaN when one is not finite; None with labels."""
    averaged: int
    """How many values the final value is the mean of."""
    minimum: float | None
    """Smallest finite value, over all labels."""
    minimum_step: int | None
    """Step of the smallest value."""
    minimum_label: str | None
    """Label of the smallest value; None for a series without labels."""
    maximum: float | None
    """Largest finite value, over all labels."""
    maximum_step: int | None
    """Step of the largest value."""
    maximum_label: str | None
    """Label of the largest value; None for a series without labels."""
    nonfinite: int
    """Values that are NaN or infinite."""
    first_nonfinite_step: int | None
    """Step of the first of them."""


def facts(series: Series) -> Facts:
    """Compute the facts of `series`."""
    values = np.asarray(series.values, dtype=np.float64)
    finite = np.isfinite(values)
    bad_rows = np.flatnonzero(~finite.all(axis=tuple(range(1, values.ndim))))
    low = _extreme(series, np.where(finite, values, np.inf), np.argmin) if finite.any() else (None, None, None)
    high = _extreme(series, np.where(finite, values, -np.inf), np.argmax) if finite.any() else (None, None, None)
    plain = values.ndim == 1 and len(values) > 0
    return Facts(
        name=series.name,
        rows=len(series),
        labels=0 if values.ndim == 1 else values.shape[1],
        first_step=int(series.steps[0]) if len(values) else None,
        last_step=int(series.steps[-1]) if len(values) else None,
        first=float(values[0]) if plain else None,
        last=float(values[-1]) if plain else None,
        recent=final_value(series) if plain and finite.any() else None,
        averaged=final_window(len(series)),
        minimum=low[0],
        minimum_step=low[1],
        minimum_label=low[2],
        maximum=high[0],
        maximum_step=high[1],
        maximum_label=high[2],
        nonfinite=int((~finite).sum()),
        first_nonfinite_step=int(series.steps[bad_rows[0]]) if len(bad_rows) else None,
    )


def _extreme(series: Series, values: np.ndarray, choose: object) -> tuple[float, int, str | None]:
    """Value, step and label of the element that `choose` (argmin or argmax) finds."""
    place = np.unravel_index(int(choose(values)), values.shape)  # type: ignore[operator]
    label = series.labels[int(place[1])] if len(place) > 1 and series.labels else None
    return float(values[place]), int(series.steps[place[0]]), label
