"""Runs a rule on a problem: all rows of a batch at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int64

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Rule
from optiscope.problems.functions.function import Function

Batch = Float[np.ndarray, "rows parameters"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """What was kept of a simulation. The first axis is time: row k is the state after k steps."""

    points: Float[np.ndarray, "time rows parameters"]
    """Points to judge; see `Rule.evaluation_point`."""
    effective_rates: Float[np.ndarray, "time rows parameters"]
    """See `Rule.effective_rate`; NaN in the first row."""
    internals: dict[str, Float[np.ndarray, "time rows parameters"]] = field(default_factory=dict)
    """See `Rule.internals`."""
    probes: Float[np.ndarray, "time rows parameters"] | None = None
    """Where the gradient for the next step is taken, for rules that look ahead."""


def simulate(problem: Function, rule: Rule, starts: Batch, *, steps: int, seeds: Int64[np.ndarray, "#rows"]) -> Record:
    """Run every row of `starts` for `steps` steps and keep everything."""
    # Coordinate by coordinate in memory: the formulas of problems read whole columns.
    x: Array = np.asfortranarray(starts)
    batched = rule.with_settings(batch_axes=1)
    state = batched.init((x,))
    shape = (steps + 1, *x.shape)
    points, rates = np.full(shape, np.nan), np.full(shape, np.nan)
    probes = np.full(shape, np.nan)
    internals: dict[str, Float[np.ndarray, "time rows parameters"]] = {}
    ahead = False
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            points[step] = batched.evaluation_point(state, (x,))[0]
            (probe,) = batched.probe(state, (x,))
            ahead = ahead or probe is not x
            probes[step] = probe
            if step > 0:
                rates[step] = batched.effective_rate(state, (x,))[0]
            for name, value in batched.internals(state).items():
                internals.setdefault(name, np.full(shape, np.nan))[step] = value
            if step == steps:
                break
            gradient = problem.stochastic_gradient(probe, step=step, seeds=seeds)
            (update,), state = batched.at(step).update((gradient,), state, (x,))
            x = x + update
    return Record(points=points, effective_rates=rates, internals=internals, probes=probes if ahead else None)
