"""Bringing one metric of several runs onto the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64

if TYPE_CHECKING:
    from optiscope.runs import Series


@dataclass(frozen=True, kw_only=True, eq=False)
class Aligned:
    """One metric of several runs on common steps."""

    steps: Int64[np.ndarray, " steps"]
    """Steps at which every run has a value."""
    values: Float[np.ndarray, "runs steps"]
    """Value of each run at each step; NaN and infinity kept."""
    longest: int
    """Last step that any of the runs has."""
    interpolated: bool
    """True when the runs logged at different steps and values between are on the straight line of their neighbours."""


def one_value_a_step(series: Series) -> tuple[Int64[np.ndarray, " steps"], Float[np.ndarray, " steps"]]:
    """The series with ascending steps, each once: several values of one step become their mean, NaN if one is NaN."""
    steps, place, counts = np.unique(series.steps, return_inverse=True, return_counts=True)
    if len(steps) == len(series.steps):
        order = np.argsort(series.steps, kind="stable")
        return steps, np.asarray(series.values[order], dtype=np.float64)
    totals = np.zeros(len(steps))
    with np.errstate(invalid="ignore", over="ignore"):
        np.add.at(totals, place, series.values)
    return steps, totals / counts


def align(series: Sequence[Series]) -> Aligned:
    """Keep the steps that all `series` have; where they share hardly any, interpolate onto those of the sparsest.

    Nothing is invented beyond the range that all series cover: a run that ended early ends the common range.
    """
    columns = [one_value_a_step(one) for one in series]
    common = columns[0][0]
    for steps, _ in columns[1:]:
        common = np.intersect1d(common, steps, assume_unique=True)
    first = max((steps[0] for steps, _ in columns if len(steps)), default=0)
    last = min((steps[-1] if len(steps) else -1 for steps, _ in columns), default=-1)
    inside = [steps[(steps >= first) & (steps <= last)] for steps, _ in columns]
    sparsest = min(inside, key=len)
    longest = max((int(steps[-1]) for steps, _ in columns if len(steps)), default=0)
    if 2 * len(common) >= len(sparsest):
        values = np.stack([column[np.searchsorted(steps, common)] for steps, column in columns])
        return Aligned(steps=common, values=values, longest=longest, interpolated=False)
    return Aligned(
        steps=sparsest,
        values=np.stack([np.interp(sparsest, steps, column) for steps, column in columns]),
        longest=longest,
        interpolated=True,
    )
