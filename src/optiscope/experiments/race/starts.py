"""Where races begin: points by hand, a grid, or points spread over the domain."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError
from optiscope.problems.functions.function import Function

TUNING_STARTS = 5
"""Trials run from at least this many starts, so that settings do not fit one alone."""
NEAR = 0.05
"""How far starts for tuning lie from one of the race at most, as a share of the domain's width along each axis."""
MOST_STARTS = 400
"""More paths cannot be told apart in a picture."""

Starts = Float[np.ndarray, "starts parameters"]


def starting_points(problem: Function, start: ArrayLike | None, *, grid: int | None) -> Starts:
    """The starts of a race as rows.

    Raises `ArgumentError` when they have another dimension than the problem, are not finite or lie outside its domain,
    or when there are too many.
    """
    if grid is not None:
        return _grid(problem, grid, given=start is not None)
    try:
        points = np.atleast_2d(np.asarray(problem.start if start is None else start, dtype=np.float64))
    except (TypeError, ValueError):
        raise ArgumentError(f"A start is a point, or several as rows, in numbers. Received: {start!r}.") from None
    if points.ndim != 2 or points.shape[1] != problem.dimension or not len(points):
        raise ArgumentError(
            f"A start on {problem.name} has {problem.dimension} coordinates. "
            f"Received: {start!r}, which has {points.shape[-1]}."
        )
    low, high = problem.bounds.T
    outside = ~((points >= low) & (points <= high)).all(axis=1)
    if outside.any():
        domain = " × ".join(f"[{a:g}, {b:g}]" for a, b in problem.bounds[:4]) + (" × …" if len(low) > 4 else "")
        raise ArgumentError(
            f"A start lies in the domain of {problem.name}, {domain}. Received: {points[outside][0].tolist()}."
        )
    if len(points) > MOST_STARTS:
        raise ArgumentError(f"A race has at most {MOST_STARTS} starts. Received: {len(points)}.")
    return points


def _grid(problem: Function, count: object, *, given: bool) -> Starts:
    if given:
        raise ArgumentError("A race begins at `start` or on a `grid`, not both. Leave one away.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1 or count**problem.dimension > MOST_STARTS:
        raise ArgumentError(
            f"A grid has at least one point along each axis and at most {MOST_STARTS} in all; {problem.name} has "
            f"{problem.dimension} axes. Received: grid={count!r}."
        )
    # In the middle of cells: the edge of a domain is no typical start.
    axes = [low + (high - low) * (np.arange(count) + 0.5) / count for low, high in problem.bounds]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, problem.dimension)


def tuning_starts(problem: Function, starts: Starts, *, seed: int) -> Starts:
    """Starts for tuning: near those of the race, in turn, and at least `TUNING_STARTS`; none is one of the race's.

    Settings that were chosen on the race's own starts would make its result look better than it is; a corner that
    the race never sees should not decide them either.
    """
    count = max(TUNING_STARTS, len(starts))
    low, high = problem.bounds.T
    shift = NEAR * (high - low) * (2 * np.random.default_rng(seed).random((count, problem.dimension)) - 1)
    points: Starts = np.clip(np.resize(starts, (count, problem.dimension)) + shift, low, high)
    return points


def grid_of_starts(problem: Function, count: int, *, seed: int) -> Starts:
    """`count` points over the domain: in two dimensions a grid when `count` is a square, else drawn at random."""
    side = round(count**0.5)
    if problem.dimension == 2 and side * side == count:
        return _grid(problem, side, given=False) if count <= MOST_STARTS else _random(problem, count, seed)
    return _random(problem, count, seed)


def _random(problem: Function, count: int, seed: int) -> Starts:
    low, high = problem.bounds.T
    points: Starts = low + (high - low) * np.random.default_rng(seed).random((count, problem.dimension))
    return points
