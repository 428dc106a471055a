"""Several runs against each other: means over seeds, final values, time to a target, and what can be said of them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, Int64

from optiscope.analysis.alignment import align
from optiscope.analysis.arguments import runs_of
from optiscope.analysis.final import final_value, final_window
from optiscope.analysis.grouping import RunGroup, group_runs
from optiscope.analysis.statistics import Band, Interval, Welch, holm, mean_band, mean_interval, welch
from optiscope.analysis.target import reached, worst_final
from optiscope.analysis.verdict import limits, verdict
from optiscope.errors import ArgumentError, UnknownName
from optiscope.runs.wording import counted

if TYPE_CHECKING:
    from optiscope.runs import Run, Series

Goal = Literal["min", "max"]

_LARGER_IS_BETTER = re.compile(r"acc|auc|f1|precision|recall|reward|return|score|bleu|iou|dice|psnr|ssim|r2|map@", re.I)
_SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """The runs of one configuration, as one line and one row of the table."""

    label: str
    """Name in legends and tables."""
    run_names: tuple[str, ...]
    """The runs, n of them."""
    steps: Int64[np.ndarray, " steps"]
    """Steps that all runs of the group have."""
    values: Float[np.ndarray, "runs steps"]
    """The metric of each run at these steps; NaN and infinity kept."""
    longest: int
    """Last step that any run of the group has; beyond the last of `steps` when a run ended early."""
    band: Band
    """Mean, interval and range over the runs at each step, of the values that are finite."""
    finals: Float[np.ndarray, " runs"]
    """Final value of each run: mean of its last twentieth of values; NaN when one of them is not finite."""
    final: Interval
    """Mean and interval of the final values of the runs that did not diverge."""
    best: Float[np.ndarray, " runs"]
    """Best single value of each run; NaN when none is finite."""
    diverged: tuple[str, ...]
    """Runs with NaN or infinity in their last twentieth of values: they have no final value and are in no mean."""
    nonfinite: int
    """Values of the metric in all runs together that are NaN or infinite."""
    steps_to_target: Float[np.ndarray, " runs"]
    """First step at which each run reached the target; NaN when it never did."""
    seconds_to_target: Float[np.ndarray, " runs"]
    """Seconds from the run's start to that step; NaN when it never reached the target."""
    from_start: tuple[str, ...]
    """Runs that are at the target from their first (averaged) value on: their step says nothing of training."""
    against_reference: Welch | None
    """Difference of the final values from the reference group's; None for the reference itself."""
    p_value: float
    """Probability of such a difference by chance, adjusted (Holm) for the number of groups; NaN with one run a side."""
    judgement: Literal["reference", "better", "worse", "tie", "unknown"]
    """Against the reference: "tie" when the difference may be chance, "unknown" with fewer than two runs a side."""

    def __repr__(self) -> str:
        return f"<Group {self.label!r}: {counted(len(self.run_names), 'run')}, final {self.final}>"

    @property
    def reached(self) -> int:
        """Runs that reached the target."""
        return int(np.isfinite(self.steps_to_target).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Groups of runs compared in one metric."""

    metric: str
    """Name of the series."""
    goal: Goal
    """Whether small or large values of the metric are good."""
    groups: tuple[Group, ...]
    """The groups, in the order in which their runs were given."""
    reference: str
    """Label of the group that the others are compared with: the baseline, or the best group."""
    baseline: bool
    """True when the caller named the reference."""
    target: float
    """Value of the metric to which steps and seconds are counted; NaN when there is none."""
    target_chosen: bool
    """True when the caller named the target; otherwise it is the worst final value that no run has at its start."""
    verdict: str
    """Which group did best, in one or two sentences."""
    sentences: tuple[str, ...]
    """How the numbers came about and what limits them: divergence, unequal lengths, missing repetitions."""

    def __repr__(self) -> str:
        runs = sum(len(group.run_names) for group in self.groups)
        extent = f"{counted(len(self.groups), 'group')}, {counted(runs, 'run')}"
        return f"<Comparison in {self.metric}: {extent}; reference {self.reference!r}>"

    def rows(self) -> tuple[dict[str, object], ...]:
        """The table: one row a group, best final value first, groups with diverged runs last; plain numbers."""
        sign = 1.0 if self.goal == "min" else -1.0
        ordered = sorted(
            self.groups,
            key=lambda group: (group.final.count == 0, group.final.nonfinite > 0, sign * group.final.mean),
        )
        return tuple(
            {
                "group": group.label,
                "runs": len(group.run_names),
                "diverged": len(group.diverged),
                f"final {self.metric}": group.final.mean,
                "interval low": group.final.low,
                "interval high": group.final.high,
                f"best {self.metric}": _best(group.best, self.goal),
                "steps to target": _median(group.steps_to_target),
                "seconds to target": _median(group.seconds_to_target),
                "reached target": group.reached,
                "difference": group.against_reference.difference if group.against_reference else 0.0,
                "p": None if group.against_reference is None else group.p_value,
                "judgement": group.judgement,
            }
            for group in ordered
        )


def compare(
    runs: Run | Sequence[Run],
    metric: str = "loss",
    baseline: str | None = None,
    group_by: str | Sequence[str] | None = None,
    *,
    goal: Goal | None = None,
    target: float | None = None,
) -> Comparison:
    """Compare runs in one metric, with repetitions under other seeds as the measure of chance.

    Runs that differ only in their seed form a group (see `group_runs`). Within a group the metric is aligned on common
    steps; the mean carries a 95 % interval by Student's t, which needs at least two runs. Final values are means over
    the last twentieth of a run, for the last single value of a noisy loss says little. Groups are compared by Welch's
    test with Holm's correction; a difference that chance explains is called a tie.

    Args:
        runs: several runs, or one.
        metric: name of a one-dimensional series that every run has.
        baseline: label of a group, or name of a run, that the others are compared with. By default the best group.
        group_by: configuration keys that must agree within a group.
        goal: "min" or "max"; by default told from the metric's name ("accuracy" is to be large).
        target: value to which steps and seconds are counted. By default the worst final value of
            the finite runs that no run has from its start on.

    Raises:
        ArgumentError: no runs, something else than runs, or the metric has one value per layer.
        UnknownName: a run lacks the metric, or there is no such baseline.
    """
    several = runs_of(runs, what="A comparison")
    if goal not in (None, "min", "max"):
        raise UnknownName.among(goal, ("min", "max"), kind="goal")
    chosen_goal: Goal = goal or ("max" if _LARGER_IS_BETTER.search(metric) else "min")
    gathered = group_runs(several, group_by)
    series = [[_metric(run, metric) for run in group.runs] for group in gathered]
    finals = [np.array([final_value(one) for one in members]) for members in series]
    sign = 1.0 if chosen_goal == "min" else -1.0
    every = [one for members in series for one in members]
    aim = target if target is not None else worst_final(every, np.concatenate(finals), sign)
    means = [mean_interval(values) for values in finals]
    reference = _reference(gathered, means, baseline, sign)
    tests = [welch(finals[reference], values) for values in finals]
    adjusted = holm([math.nan if index == reference else test.p_value for index, test in enumerate(tests)])
    groups, interpolated = [], []
    for index, (group, members) in enumerate(zip(gathered, series, strict=True)):
        aligned = align(members)
        if aligned.interpolated:
            interpolated.append(group.label)
        times = [reached(one, aim, sign) for one in members]
        diverged = tuple(
            run.name for run, value in zip(group.runs, finals[index], strict=True) if not math.isfinite(value)
        )
        own = index == reference
        groups.append(
            Group(
                label=group.label,
                run_names=tuple(run.name for run in group.runs),
                steps=aligned.steps,
                values=aligned.values,
                longest=aligned.longest,
                band=mean_band(aligned.values),
                finals=finals[index],
                final=means[index],
                best=np.array([_best(one.values, chosen_goal) for one in members]),
                diverged=diverged,
                nonfinite=sum(int((~np.isfinite(one.values)).sum()) for one in members),
                steps_to_target=np.array([step for step, _, _ in times]),
                seconds_to_target=np.array([seconds for _, seconds, _ in times]),
                from_start=tuple(run.name for run, (_, _, start) in zip(group.runs, times, strict=True) if start),
                against_reference=None if own else tests[index],
                p_value=adjusted[index],
                judgement="reference" if own else _judge(tests[index], adjusted[index], sign),
            )
        )
    windows = [final_window(len(one)) for one in every]
    return Comparison(
        metric=metric,
        goal=chosen_goal,
        groups=tuple(groups),
        reference=gathered[reference].label,
        baseline=baseline is not None,
        target=aim,
        target_chosen=target is not None,
        verdict=verdict(groups, metric=metric, goal=chosen_goal, baseline=baseline is not None),
        sentences=limits(
            groups,
            interpolated=interpolated,
            target=aim,
            target_chosen=target is not None,
            window=(min(windows), max(windows)),
        ),
    )


def _metric(run: Run, metric: str) -> Series:
    if metric not in run:
        valid = [name for name in run.names if run[name].values.ndim == 1]
        raise UnknownName.among(metric, valid, kind=f"metric of the run {run.name!r}")
    series = run[metric]
    if series.values.ndim != 1:
        raise ArgumentError(
            f"{metric!r} has one value per layer or group ({len(series.labels)} of them). Compare runs in a single "
            f"number a step, such as {metric + '/global'!r}."
        )
    return series


def _best(values: Float[np.ndarray, " rows"], goal: Goal) -> float:
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return math.nan
    return float(finite.min() if goal == "min" else finite.max())


def _median(values: Float[np.ndarray, " runs"]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _reference(groups: Sequence[RunGroup], finals: Sequence[Interval], baseline: str | None, sign: float) -> int:
    if baseline is None:
        ranks = [math.inf if math.isnan(final.mean) else sign * final.mean for final in finals]
        # A group with diverged runs is the best only when all have some: its mean is over the survivors.
        return min(range(len(groups)), key=lambda index: (finals[index].nonfinite > 0, ranks[index]))
    for index, group in enumerate(groups):
        if baseline == group.label or any(run.name == baseline for run in group.runs):
            return index
    valid = [group.label for group in groups] + [run.name for group in groups for run in group.runs]
    raise UnknownName.among(baseline, dict.fromkeys(valid), kind="group or run of this comparison")


def _judge(test: Welch, p_value: float, sign: float) -> Literal["better", "worse", "tie", "unknown"]:
    if math.isnan(p_value):
        return "unknown"
    if p_value > _SIGNIFICANT:
        return "tie"
    return "better" if sign * test.difference < 0.0 else "worse"
