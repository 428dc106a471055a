"""Which start ends where: a map of the plane, coloured by the minimum that an optimizer reaches from each point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from optiscope.errors import ArgumentError
from optiscope.experiments.race.arguments import LARGEST_COUNT, LARGEST_RESOLUTION, as_function, check_count
from optiscope.experiments.race.divergence import divergence_bound
from optiscope.experiments.race.entrants import contestant
from optiscope.experiments.race.simulation import Summary
from optiscope.problems.critical_points import critical_points
from optiscope.problems.functions.function import Function

DIVERGED = -1
"""End of a trajectory that left for infinity."""
NOWHERE = -2
"""End of a trajectory that is near none of the known minima after the last step."""
ARRIVED = 1e-4
"""Share of the way from the start's loss to the minimum's that may be missing on arrival."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BasinMap:
    """Where an optimizer ends from each point of a grid."""

    problem: Function
    """What is minimised; two-dimensional."""
    label: str
    """Name of the optimizer."""
    settings: Mapping[str, object]
    """Its settings."""
    xs: Float[np.ndarray, " columns"]
    """First coordinate of the starts."""
    ys: Float[np.ndarray, " rows"]
    """Second coordinate of the starts."""
    ends: Int64[np.ndarray, "rows columns"]
    """For each start the row of `minima` it ends at, or `DIVERGED`, or `NOWHERE`."""
    minima: Float[np.ndarray, "minima parameters"]
    """Local and global minima in the domain, lowest first."""
    steps_to_end: Float[np.ndarray, "rows columns"]
    """Steps until all but a ten-thousandth of the way from the start's loss to the minimum's is done; inf if never."""
    steps: int
    """Length of each trajectory."""


def basin_map(
    problem: str | Function, optimizer: object, *, resolution: int = 80, steps: int = 500, seed: int = 0
) -> BasinMap:
    """Start from every point of a grid over the domain and see at which minimum the optimizer ends.

    A trajectory ends at a minimum when its last point is nearer to it than a hundredth of the domain's diagonal, and
    nearer than to any other.

    Args:
        problem: a name, or a function, of two coordinates.
        optimizer: a name with settings, or a rule; see `race`.
        resolution: points along each axis.
        steps: length of each trajectory.
        seed: of the noise, if the problem has any.
    """
    problem = as_function(problem)
    check_count("resolution", resolution, 2, LARGEST_RESOLUTION)
    check_count("steps", steps, 1, LARGEST_COUNT)
    check_count("seed", seed, 0, LARGEST_COUNT)
    if problem.dimension != 2:
        raise ArgumentError(
            f"A map of basins needs a problem with two coordinates; {problem.name} has {problem.dimension}. "
            f"Received: {problem!r}."
        )
    runner = contestant(optimizer)
    xs, ys = (np.linspace(low, high, resolution) for low, high in problem.bounds)
    starts = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    found = sorted((one for one in critical_points(problem) if one.kind == "minimum"), key=lambda one: one.value)
    minima = np.array([one.point for one in found]).reshape(-1, 2)
    if not len(minima):
        minima = problem.minima

    def run(starts: Float[np.ndarray, "some 2"], *, target: Float[np.ndarray, " some"] | None = None) -> Summary:
        return runner.summarise(
            problem,
            starts,
            steps=steps,
            seeds=np.full(len(starts), seed),
            bound=divergence_bound(problem),
            settings={},
            target=target,
        )

    summary = run(starts)
    diagonal = float(np.linalg.norm(problem.bounds[:, 1] - problem.bounds[:, 0]))
    ends = _nearest(summary.ends, minima, diagonal / 100)
    ends[summary.diverged] = DIVERGED
    arrived = ends >= 0
    reached = np.full(len(starts), np.inf)
    if arrived.any():
        lowest = problem.value(minima)[ends[arrived]]
        again = run(starts[arrived], target=lowest + ARRIVED * (problem.value(starts[arrived]) - lowest))
        assert again.reached is not None
        reached[arrived] = again.reached
    return BasinMap(
        problem=problem,
        label=runner.label,
        settings=runner.settings,
        xs=xs,
        ys=ys,
        ends=ends.reshape(resolution, resolution),
        minima=minima,
        steps_to_end=reached.reshape(resolution, resolution),
        steps=steps,
    )


def _nearest(
    points: Float[np.ndarray, "points parameters"], minima: Float[np.ndarray, "minima parameters"], radius: float
) -> Int64[np.ndarray, " points"]:
    if not len(minima):
        return np.full(len(points), NOWHERE)
    with np.errstate(all="ignore"):
        distances = np.linalg.norm(points[:, None] - minima, axis=-1)
    nearest = np.nan_to_num(distances, nan=np.inf).argmin(axis=-1)
    return np.where(distances[np.arange(len(points)), nearest] <= radius, nearest, NOWHERE)
