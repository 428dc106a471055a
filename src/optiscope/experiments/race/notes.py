"""What a reader of a race must know, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from optiscope.experiments.race.path import Path
from optiscope.experiments.race.ranking import FEWEST_PAIRS
from optiscope.experiments.race.result import Entry
from optiscope.problems.critical_points import CriticalPoint
from optiscope.problems.functions.function import Function


def notes_of(
    problem: Function,
    entries: Sequence[Entry],
    paths: Sequence[Path],
    *,
    bound: float,
    trials: int,
    critical: Sequence[CriticalPoint],
) -> tuple[str, ...]:
    """The sentences, the most important first."""
    return (
        *_divergence(entries, paths, bound),
        *_leaving(problem, paths),
        *_ties(entries),
        *_resources(problem, entries, paths),
        *_settings(problem, entries, trials),
        *_problem(problem, critical),
    )


def _leaving(problem: Function, paths: Sequence[Path]) -> list[str]:
    left = Counter(path.optimizer for path in paths if path.ends_outside and path.diverged_at is None)
    domain = " × ".join(f"[{low:g}, {high:g}]" for low, high in problem.bounds[:3])
    more = " × …" if problem.dimension > 3 else ""
    return [
        f"{label} leaves the domain {domain}{more}{'' if count == 1 else f' on {count} paths'}: "
        "what it finds there does not count."
        for label, count in left.items()
    ]


def _divergence(entries: Sequence[Entry], paths: Sequence[Path], bound: float) -> list[str]:
    notes = []
    for entry in entries:
        own = [path for path in paths if path.optimizer == entry.label]
        steps = [path.diverged_at for path in own if path.diverged_at is not None]
        if steps:
            share = "" if len(own) == 1 else f" on {len(steps)} of {len(own)} paths"
            notes.append(
                f"{entry.label} diverges{share}: a coordinate exceeds {bound:g} in magnitude at step {min(steps)}."
            )
    return notes


def _ties(entries: Sequence[Entry]) -> list[str]:
    notes = []
    for rank, count in Counter(entry.rank for entry in entries).items():
        first, *others = [entry for entry in entries if entry.rank == rank]
        if count > 1 and np.isfinite(first.settled).any():
            verb = "does" if len(others) == 1 else "do"
            labels = _listed([entry.label for entry in others])
            notes.append(f"{labels} {verb} not differ demonstrably from {first.label}: a tie.")
    return notes


def _resources(problem: Function, entries: Sequence[Entry], paths: Sequence[Path]) -> list[str]:
    notes = []
    for entry in entries:
        taken = [path.evaluations or path.steps for path in paths if path.optimizer == entry.label]
        steps = sum(path.steps for path in paths if path.optimizer == entry.label)
        if sum(taken) > steps:
            notes.append(f"{entry.label} evaluated {sum(taken):,} gradients in {steps:,} steps.")
    helped = [entry.label for entry in entries if entry.curvature != "none"]
    if helped and len(helped) < len(entries):
        noisy = ", without the noise that the gradients have" if problem.depends_on_seed else ""
        verb = "was" if len(helped) == 1 else "were"
        notes.append(f"{_listed(helped)} {verb} given the exact Hessian{noisy}; the others were not.")
    return notes


def _settings(problem: Function, entries: Sequence[Entry], trials: int) -> list[str]:
    tuned = [entry.label for entry in entries if entry.tuning is not None]
    given = [entry.label for entry in entries if entry.tuning is None]
    notes = []
    if tuned:
        who = _listed(tuned) if given else "Each"
        verb = "were" if given and len(tuned) > 1 else "was"
        notes.append(f"{who} {verb} tuned with {trials} trials, from starts near those of the race.")
    if given and tuned:
        notes.append(f"{_listed(given)} ran with the settings given or left at their defaults.")
    hopeless = [entry.label for entry in entries if entry.tuning and not np.isfinite(entry.tuning.scores.min())]
    if hopeless:
        notes.append(f"No trial of {_listed(hopeless)} stayed finite.")
    if len(entries) > 1 and all(len(entry.final) < FEWEST_PAIRS for entry in entries):
        more = "more starts or seeds" if problem.depends_on_seed else "more starts"
        notes.append(f"With so few paths the order holds for these starts and no further: {more} tell more.")
    return notes


def _problem(problem: Function, critical: Sequence[CriticalPoint]) -> list[str]:
    notes = []
    if problem.minimum == -np.inf:
        notes.append(f"{problem.title} is unbounded below: it has no global minimum.")
        notes += [
            f"Its Hessian at {_point(one)} is positive definite: a local minimum."
            for one in critical
            if one.kind == "minimum"
        ]
        notes += [
            f"Its saddle is at {_point(one)}, where the Hessian has eigenvalues of both signs."
            for one in critical
            if one.kind == "saddle"
        ]
    if problem.gradient_source != "closed form":
        notes.append(f"Gradients are by {problem.gradient_source}.")
    return notes


def _point(critical: CriticalPoint) -> str:
    # Rounded first, and 0 added: "-0" would puzzle.
    return f"({', '.join(f'{round(float(value), 6) + 0.0:g}' for value in critical.point)})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
