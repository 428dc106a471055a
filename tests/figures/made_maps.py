"""Maps and schedules made by hand."""

from __future__ import annotations

import numpy as np

from optiscope.experiments.race.basins import DIVERGED, NOWHERE, BasinMap
from optiscope.experiments.race.stability import StabilityMap
from optiscope.optimizers.schedules.registry import schedule
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.problems.functions.rosenbrock import Rosenbrock


def basins() -> BasinMap:
    """Two minima, a corner that diverges and a row that arrives nowhere."""
    ends = np.zeros((6, 8), dtype=np.int64)
    ends[:, 4:] = 1
    ends[0, :] = NOWHERE
    ends[4:, :2] = DIVERGED
    return BasinMap(
        problem=Rosenbrock(),
        label="momentum",
        settings={"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0},
        xs=np.linspace(-2.0, 2.0, 8),
        ys=np.linspace(-1.0, 3.0, 6),
        ends=ends,
        minima=np.array([[1.0, 1.0], [-1.0, 1.0]]),
        steps_to_end=np.where(ends >= 0, 12.0, np.inf),
        steps=100,
    )


def many_basins() -> BasinMap:
    """More minima than there are colours."""
    one = basins()
    minima = np.column_stack([np.linspace(-1.9, 1.9, 12), np.linspace(-0.9, 2.9, 12)])
    ends = np.arange(48).reshape(6, 8) % 12
    return BasinMap(**{**vars(one), "ends": ends, "minima": minima})


def stability() -> StabilityMap:
    """Heavy ball on curvatures 1 and 4, by theory."""
    rates, momenta = np.linspace(0.05, 1.2, 24), np.linspace(0.0, 0.95, 12)
    factors = np.empty((12, 24))
    for row, momentum in enumerate(momenta):
        for column, rate in enumerate(rates):
            roots = [np.roots([1, -(1 + momentum - rate * curvature), momentum]) for curvature in (1.0, 4.0)]
            factors[row, column] = np.abs(roots).max()
    return StabilityMap(
        label="Momentum",
        eigenvalues=np.array([1.0, 4.0]),
        learning_rates=rates,
        momenta=momenta,
        contraction=factors,
        theory=factors,
        border=2 * (1 + momenta) / 4,
    )


def schedules() -> list[Schedule]:
    """A wave, two stairs and a climb."""
    names = ("cosine(start=0.1,steps=100)", "step(start=0.1,every=30)", "one_cycle(peak=0.1,steps=80)")
    return [schedule(name) for name in names]
