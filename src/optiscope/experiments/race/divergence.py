"""When a path counts as diverged."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.problems.functions.function import Function

SMALLEST_BOUND = 1e3
"""No path diverges before a coordinate exceeds this in magnitude."""
TIMES_THE_DOMAIN = 100.0
"""Nor before it is this many times as far out as the end of the domain."""


def divergence_bound(problem: Function) -> float:
    """The magnitude of a coordinate beyond which a path has diverged."""
    return max(SMALLEST_BOUND, TIMES_THE_DOMAIN * float(np.abs(problem.bounds).max()))


def ends_outside(problem: Function, end: Float[np.ndarray, " parameters"]) -> bool:
    """Whether a point lies outside the domain of the problem, or is not finite."""
    low, high = problem.bounds.T
    return not bool(((end >= low) & (end <= high)).all())


def divergence_step(points: Float[np.ndarray, "rows parameters"], bound: float) -> int | None:
    """The first row with a coordinate that is not finite or exceeds `bound`; None when there is none."""
    inside = (np.abs(points) <= bound).all(axis=-1)
    return None if inside.all() else int(inside.argmin())
