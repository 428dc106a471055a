"""The race: optimizers on one problem, from the same starts, against the same noise, tuned with the same budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError
from optiscope.experiments.race.arguments import as_function, check_count
from optiscope.experiments.race.contestant import Contestant
from optiscope.experiments.race.divergence import divergence_bound, divergence_step, ends_outside
from optiscope.experiments.race.entrants import entrants
from optiscope.experiments.race.notes import notes_of
from optiscope.experiments.race.path import Path
from optiscope.experiments.race.ranking import order_and_rank
from optiscope.experiments.race.result import Entry, Race, Tuning
from optiscope.experiments.race.simulation import settled_steps
from optiscope.experiments.race.starts import grid_of_starts, starting_points, tuning_starts
from optiscope.experiments.race.tuning import Progress, tune_all
from optiscope.problems.critical_points import critical_points
from optiscope.problems.functions.function import Function
from optiscope.problems.modifiers.gradient_noise import GradientNoise

DEFAULT_TRIALS = 24
"""Trials for optimizers that were named without any settings: their defaults were chosen for networks, not for this."""
DEFAULT_SEEDS = 3
"""Repetitions of each path where something is random."""
TUNING_SEEDS = 1_000_003
"""Added to the race's seeds for tuning: what settings are judged by must not be what they were chosen on."""
TARGET_SHARE = 1e-3
"""Share of the way from the first start's loss to the minimum's that may be missing when the target is reached."""
LARGEST_RACE = 4 * 2**30
"""Bytes that all paths together may take."""
ARRAYS_A_PATH = 7
"""Arrays that are kept of each path: points, gradients, effective rates, two or three internal ones, losses."""


def race(
    problem: str | Function,
    optimizers: object = ("sgd", "momentum", "adam"),
    start: ArrayLike | None = None,
    steps: int = 200,
    *,
    tune: int | None = None,
    grid: int | None = None,
    noise: float = 0.0,
    seeds: int | None = None,
    target: float | None = None,
    reach: int | None = None,
    seed: int = 0,
    title: str | None = None,
    progress: Progress | None = None,
) -> Race:
    """Let optimizers minimise one problem from the same starts, and keep every path.

    Optimizers that are named without settings are tuned a little (`DEFAULT_TRIALS` trials each), for a framework's
    defaults are made for networks; one with any setting given runs as it is. `tune=N` gives each exactly N trials on
    every main setting that was not given, `tune=0` tunes none. Trials are judged by the loss at the end of the budget,
    averaged over its last twentieth, over several starts near those of the race and with other noise, never by the
    known minimum. The race is ranked by the same loss.

    >>> result = race("booth", ["sgd(learning_rate=0.1)", "momentum(learning_rate=0.02)"], start=(-8, 5), steps=100)
    >>> [entry.label for entry in result.entries]
    ['Gradient descent', 'Momentum']

    Args:
        problem: a name such as "beale" or "rosenbrock(dimension=10)", or a `Function`; see `own_function` for your own.
        optimizers: names, rules, chains, classes; see `entrants`.
        start: one point, or several as rows; the problem's customary start when None.
        steps: length of each path.
        tune: trials for each optimizer.
        grid: start from a grid of this many points along each axis in place of `start`.
        noise: standard deviation of Gaussian noise added to each coordinate of the gradient.
        seeds: how often each path is repeated with other noise, or other mini-batches; 3 where anything is random and
            1 where nothing is when None.
        target: loss that counts as reached; without it nearly the known minimum, where there is one.
        reach: number of starts, spread over the domain, from which to count how often the target is reached; 100 when
            any optimizer is tuned on request, else none.
        seed: of all that is drawn at random.
        title: of the pictures.
        progress: called while tuning.

    Raises `UnknownName` for an unknown problem, optimizer or setting, and `ArgumentError` for a start outside the
    domain or of the wrong dimension, and for numbers that cannot work: before any long work.
    """
    chosen = as_function(problem)
    _check(
        noise=noise,
        target=target,
        counts={"steps": (steps, 1), "tune": (tune, 0), "seeds": (seeds, 1), "reach": (reach, 0), "seed": (seed, 0)},
    )
    runners = entrants(optimizers)
    starts = starting_points(chosen, start, grid=grid)
    if noise > 0:
        chosen = GradientNoise(base=chosen, covariance=noise**2)
    repeats = _repeats(chosen, seeds, seed)
    _check_size(steps, len(starts) * len(repeats), chosen.dimension, len(runners))
    bound = divergence_bound(chosen)
    tunings = tune_all(
        chosen,
        [_tunable(one, tune) for one in runners],
        trials=DEFAULT_TRIALS if tune is None else tune,
        starts=tuning_starts(chosen, starts, seed=seed),
        seeds=repeats + TUNING_SEEDS,
        steps=steps,
        bound=bound,
        seed=seed,
        progress=progress,
    )
    tuned = [_with_best(one, tuning) for one, tuning in zip(runners, tunings, strict=True)]
    paths = {one.label: _paths(chosen, one, starts, repeats, steps=steps, bound=bound) for one in tuned}
    target = target if target is not None else _default_target(chosen, starts)
    settled = [np.array([settled_loss(path) for path in paths[one.label]]) for one in tuned]
    initial = np.array([path.losses[0] for path in paths[tuned[0].label]])
    order, ranks = order_and_rank(settled, initial)
    grid_starts = 100 if reach is None and tune else reach
    entries = tuple(
        Entry(
            label=tuned[index].label,
            rule=tuned[index].name,
            settings=tuned[index].settings,
            chosen=_chosen(tuned[index], tunings[index]),
            tuning=tunings[index],
            final=np.array([final_loss(path) for path in paths[tuned[index].label]]),
            settled=settled[index],
            reached=_reached(chosen, tuned[index], target, count=grid_starts, steps=steps, bound=bound, seed=seed),
            curvature=tuned[index].curvature,
            rank=rank,
        )
        for index, rank in zip(order, ranks, strict=True)
    )
    trials = (DEFAULT_TRIALS if tune is None else tune) if any(tuning is not None for tuning in tunings) else 0
    all_paths = tuple(path for entry in entries for path in paths[entry.label])
    points = critical_points(chosen) if chosen.dimension == 2 else ()
    return Race(
        problem=chosen,
        entries=entries,
        paths=all_paths,
        steps=steps,
        starts=starts,
        seeds=repeats,
        trials=trials,
        target=target,
        bound=bound,
        critical_points=points,
        seed=seed,
        notes=notes_of(chosen, entries, all_paths, bound=bound, trials=trials, critical=points),
        title=title or chosen.title,
    )


def _check(*, noise: object, target: object, counts: Mapping[str, tuple[object, int]]) -> None:
    for name, (value, least) in counts.items():
        if value is not None:
            check_count(name, value, least)
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise < np.inf:
        raise ArgumentError(f"noise is a finite standard deviation, 0 or above. Received: {noise!r}.")
    if target is not None and not (isinstance(target, int | float) and np.isfinite(target)):
        raise ArgumentError(f"target is a finite loss. Received: {target!r}.")


def _check_size(steps: int, rows: int, dimension: int, count: int) -> None:
    size = 8 * ARRAYS_A_PATH * (steps + 1) * rows * dimension * count
    if size > LARGEST_RACE:
        raise ArgumentError(
            f"The paths of this race would take {size / 2**30:.1f} GiB, more than {LARGEST_RACE / 2**30:g}. Take fewer "
            f"steps, starts, seeds or optimizers. Received: {steps} steps, {rows} paths each, {count} optimizers."
        )


def _tunable(runner: Contestant, tune: int | None) -> Contestant:
    """Without a wish, only those are tuned of whom nothing was said."""
    return runner if tune is not None or not runner.given else runner.without_search()


def _with_best(runner: Contestant, tuning: Tuning | None) -> Contestant:
    if tuning is None:
        return runner
    return runner.with_settings({name: float(values[tuning.best]) for name, values in tuning.settings.items()})


def _chosen(runner: Contestant, tuning: Tuning | None) -> tuple[str, ...]:
    found = () if tuning is None else tuple(tuning.settings)
    return tuple(name for name in runner.settings if name in runner.given or name in found)


def _paths(
    problem: Function,
    runner: Contestant,
    starts: Float[np.ndarray, "starts parameters"],
    seeds: Int64[np.ndarray, " seeds"],
    *,
    steps: int,
    bound: float,
) -> tuple[Path, ...]:
    rows = starts.repeat(len(seeds), axis=0)
    kept = runner.record(problem, rows, steps=steps, seeds=np.tile(seeds, len(starts)))
    with np.errstate(all="ignore"):
        losses, gradients = problem.value(kept.points), problem.gradient(kept.points)
    return tuple(
        Path(
            optimizer=runner.label,
            seed=int(seeds[row % len(seeds)]),
            points=kept.points[:, row],
            losses=losses[:, row],
            gradients=gradients[:, row],
            effective_rates=kept.effective_rates[:, row],
            internals={name: values[:, row] for name, values in kept.internals.items()},
            probes=None if kept.probes is None else kept.probes[:, row],
            diverged_at=divergence_step(kept.points[:, row], bound),
            ends_outside=ends_outside(problem, kept.points[-1, row]),
            evaluations=None if kept.evaluations is None else int(kept.evaluations[row]),
        )
        for row in range(len(rows))
    )


def final_loss(path: Path) -> float:
    """The loss at the end of a path; inf for one that diverged."""
    return np.inf if path.diverged_at is not None else float(np.nan_to_num(path.losses[-1], nan=np.inf))


def settled_loss(path: Path) -> float:
    """The mean loss over the last steps of a path; inf for one that diverged or ends outside the domain.

    Many functions are lower outside their domain than at the minimum they are known for: leaving it wins no race.
    """
    last = path.losses[-settled_steps(path.steps) :]
    counts = path.diverged_at is None and not path.ends_outside
    return float(np.nan_to_num(last.mean(), nan=np.inf)) if counts else np.inf


def _repeats(problem: Function, seeds: int | None, seed: int) -> Int64[np.ndarray, " seeds"]:
    if seeds is not None and seeds > 1 and not problem.depends_on_seed:
        raise ArgumentError(
            f"{problem.name} has nothing random, so {seeds} seeds would give {seeds} equal paths. Add noise, or more "
            f"starts. Received: seeds={seeds!r}."
        )
    count = seeds if seeds is not None else (DEFAULT_SEEDS if problem.depends_on_seed else 1)
    return np.arange(count, dtype=np.int64) + seed


def _default_target(problem: Function, starts: Float[np.ndarray, "starts parameters"]) -> float | None:
    if not np.isfinite(problem.minimum):
        return None
    return float(problem.minimum + TARGET_SHARE * (problem.value(starts[0]) - problem.minimum))


def _reached(
    problem: Function,
    runner: Contestant,
    target: float | None,
    *,
    count: int | None,
    steps: int,
    bound: float,
    seed: int,
) -> Float[np.ndarray, " grid"] | None:
    if target is None or not count:
        return None
    starts = grid_of_starts(problem, count, seed=seed)
    summary = runner.summarise(
        problem, starts, steps=steps, seeds=np.full(len(starts), seed), bound=bound, settings={}, target=target
    )
    return summary.reached
