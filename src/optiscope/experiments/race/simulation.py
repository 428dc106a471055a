"""Runs a rule on a problem: all rows of a batch at once where the rule allows it, one by one where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Rule, State
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.problems.functions.function import Function

Batch = Float[np.ndarray, "rows parameters"]
Rows = Float[np.ndarray, " rows"]
Seeds = Int64[np.ndarray, " rows"]

ROWS_AT_ONCE = 16_384
"""Rows that run as one array: enough to make a Python call cheap, few enough for the arrays to stay in the cache."""
SETTLED_SHARE = 0.05
"""Share of the steps, at the end, over which the loss is averaged: a lucky swing through a minimum decides nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment:
    """A rule after some steps."""

    step: int
    """Number of completed steps."""
    point: Array
    """The point to judge; see `Rule.evaluation_point`."""
    parameters: Array
    """The parameters that the next update changes."""
    state: State
    """What the rule remembers."""
    probe: Array
    """Where the next gradient is taken."""
    rule: Rule
    """The rule with the numbers of its schedules in the step that led here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Everything about some trajectories. The first axis is time: row k is the state after k steps."""

    points: Float[np.ndarray, "time rows parameters"]
    """Points to judge; see `Rule.evaluation_point`."""
    effective_rates: Float[np.ndarray, "time rows parameters"]
    """See `Rule.effective_rate`; NaN in the first row."""
    internals: Mapping[str, Float[np.ndarray, "time rows parameters"]] = field(default_factory=dict)
    """See `Rule.internals`."""
    probes: Float[np.ndarray, "time rows parameters"] | None = None
    """Where the gradient for the next step is taken, for rules that look ahead."""
    evaluations: Int64[np.ndarray, " rows"] | None = None
    """How often the gradient was evaluated; None where it was once a step."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Summary:
    """How some trajectories ended: what is kept when there are thousands of them."""

    ends: Batch
    """The last points."""
    losses: Rows
    """Exact loss averaged over the last steps (`SETTLED_SHARE` of them); inf for a trajectory that diverged or ended
    outside the domain."""
    diverged: Bool[np.ndarray, " rows"]
    """Whether a trajectory diverged."""
    reached: Rows | None
    """The first step after which the loss is at most the target; inf if none. None when no target was given."""


def settled_steps(steps: int) -> int:
    """How many of the last points the loss of a trajectory is averaged over."""
    return max(1, round(SETTLED_SHARE * steps))


def moments(
    problem: Function, rule: Rule, start: Float[np.ndarray, "*batch parameters"], *, steps: int, seeds: Seeds
) -> Iterator[Moment]:
    """Yield the rule's state before the first step and after each; the caller holds NumPy's `errstate`.

    Args:
        problem: what is minimised.
        rule: how; settings may be schedules, or arrays of shape (rows, 1).
        start: one point, or a batch of them with one leading axis.
        steps: number of steps.
        seeds: of the noise, one a row.
    """
    # Coordinate by coordinate in memory: the formulas of problems read whole columns.
    x: Array = np.asfortranarray(start)
    rule = rule.with_settings(batch_axes=x.ndim - 1)
    reactive = {name: value for name, value in rule.settings.items() if isinstance(value, ReactiveSchedule)}
    reactions = {name: schedule.start(x.shape[:-1]) for name, schedule in reactive.items()}
    changes = bool(reactive) or any(isinstance(value, Schedule) for value in rule.settings.values())
    own = before = _react(rule, reactions).at(0)
    state = own.init((x,))
    for step in range(steps + 1):
        if changes:
            before, own = own, _react(rule, reactions).at(step)
        (probe,) = own.probe(state, (x,))
        point = before.evaluation_point(state, (x,))[0]
        yield Moment(step=step, point=point, parameters=x, state=state, probe=probe, rule=before)
        if step < steps:
            gradient = problem.stochastic_gradient(probe, step=step, seeds=seeds)
            (update,), state = own.update((gradient,), state, (x,), curvature=_curvature(problem, own, probe))
            x = x + update
            if reactions:
                loss = problem.value(x)
                reactions = {name: reactive[name].after(loss, reaction) for name, reaction in reactions.items()}


def _react(rule: Rule, reactions: Mapping[str, Any]) -> Rule:
    """The rule with the present numbers of its reactive schedules, one for each row."""
    if not reactions:
        return rule
    return rule.with_settings(**{name: reaction.value[..., None] for name, reaction in reactions.items()})


def _curvature(problem: Function, rule: Rule, x: Array) -> tuple[Array] | None:
    match rule.curvature:
        case "none":
            return None
        case "diagonal":
            return (np.diagonal(problem.hessian(x), axis1=-2, axis2=-1),)
        case "full":
            return (problem.hessian(x),)


def record(problem: Function, rule: Rule, starts: Batch, *, steps: int, seeds: Seeds) -> Record:
    """Run every row and keep everything."""
    shape = (steps + 1, *starts.shape)
    points, rates, probes = (np.full(shape, np.nan) for _ in range(3))
    internals: dict[str, Float[np.ndarray, "time rows parameters"]] = {}
    looks_ahead = False
    with np.errstate(all="ignore"):
        for rows, part in _parts(rule, len(starts)):
            for moment in moments(problem, part, starts[rows], steps=steps, seeds=seeds[rows]):
                points[moment.step, rows] = moment.point
                probes[moment.step, rows] = moment.probe
                looks_ahead = looks_ahead or moment.probe is not moment.parameters
                if moment.step > 0:
                    rates[moment.step, rows] = moment.rule.effective_rate(moment.state, (moment.parameters,))[0]
                for name, value in moment.rule.internals(moment.state).items():
                    if np.shape(value) == moment.point.shape:
                        internals.setdefault(name, np.full(shape, np.nan))[moment.step, rows] = value
    return Record(points=points, effective_rates=rates, internals=internals, probes=probes if looks_ahead else None)


def summarise(
    problem: Function,
    rule: Rule,
    starts: Batch,
    *,
    steps: int,
    seeds: Seeds,
    bound: float,
    target: float | Rows | None = None,
) -> Summary:
    """Run every row and keep only how it ended.

    Args:
        problem: what is minimised.
        rule: how; settings may be arrays of shape (rows, 1).
        starts: one start a row.
        steps: number of steps.
        seeds: of the noise, one a row.
        bound: a trajectory diverges when one of its coordinates exceeds this, or is not finite.
        target: a loss to wait for, or one for each row; costs one evaluation of the problem a step.
    """
    count = len(starts)
    settled = steps + 1 - settled_steps(steps)
    ends, losses = np.empty_like(starts), np.zeros(count)
    diverged, reached = np.zeros(count, dtype=bool), np.full(count, np.inf)
    targets = np.broadcast_to(np.inf if target is None else target, count)
    with np.errstate(all="ignore"):
        for rows, part in _parts(rule, count):
            size = np.empty_like(starts[rows], order="F")
            for moment in moments(problem, part, starts[rows], steps=steps, seeds=seeds[rows]):
                # One number for all rows first: mostly none is outside. NaN is kept by the maximum, and is not inside.
                if not np.abs(moment.point, out=size).max() <= bound:
                    diverged[rows] |= ~(size <= bound).all(axis=-1)
                if moment.step >= settled or target is not None:
                    loss = problem.value(moment.point)
                    if moment.step >= settled:
                        losses[rows] += loss / (steps - settled + 1)
                    if target is not None:
                        arrived = (loss <= targets[rows]) & ~diverged[rows]
                        reached[rows] = np.minimum(reached[rows], np.where(arrived, moment.step, np.inf))
                if moment.step == steps:
                    ends[rows] = moment.point
    low, high = problem.bounds.T
    outside = ~((ends >= low) & (ends <= high)).all(axis=-1)
    losses = np.where(diverged | outside | np.isnan(losses), np.inf, losses)
    return Summary(ends=ends, losses=losses, diverged=diverged, reached=None if target is None else reached)


def _parts(rule: Rule, count: int) -> Iterator[tuple[Any, Rule]]:
    """Which rows run together (a slice, or the index of one row), and the rule with their settings."""
    if rule.batching == "single":
        for row in range(count):
            yield row, _with_rows(rule, row)
    else:
        for first in range(0, count, ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            yield rows, _with_rows(rule, rows)


def _with_rows(rule: Rule, rows: int | slice) -> Rule:
    """The rule with the settings of these rows; for a single row they are plain numbers."""
    chosen = {
        name: value[rows] if isinstance(rows, slice) else float(value[rows, 0])
        for name, value in rule.settings.items()
        if isinstance(value, np.ndarray) and value.ndim == 2
    }
    return rule.with_settings(**chosen) if chosen else rule
