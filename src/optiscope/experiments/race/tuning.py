"""Fair tuning: every optimizer gets the same number of trials, drawn the same way, judged by the loss that it reaches.

Known minima play no part: what a trial is worth depends only on losses that some trial of some optimizer reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int64

from optiscope.experiments.race.contestant import Contestant
from optiscope.experiments.race.result import Tuning
from optiscope.optimizers.search_space import Range
from optiscope.problems.functions.function import Function

NARROWED = 0.15
"""Half the width, as a share of each range, of the box around the best trial that later ones are drawn from."""
NOTHING_WORSE = 2.0
"""The largest share of the way that a trial which stays finite can miss."""
DIVERGED = 3.0
"""The share that is counted for a condition under which the trial diverged."""

RATES = frozenset({"learning_rate", "lr"})
"""Names of the setting that the first trials vary alone."""

Progress = Callable[[str, int, int], None]
"""Called with the label of an optimizer, the trials done and the trials to do."""


def tune_all(
    problem: Function,
    contestants: Sequence[Contestant],
    *,
    trials: int,
    starts: Float[np.ndarray, "starts parameters"],
    seeds: Int64[np.ndarray, " seeds"],
    steps: int,
    bound: float,
    seed: int,
    progress: Progress | None = None,
) -> list[Tuning | None]:
    """Give each contestant with anything to tune the same number of trials; None for the others.

    The first third varies the learning rate alone, evenly over its whole range, beginning with the settings that the
    contestant came with: it matters most, and shows how sensitive the optimizer is to it. The second third varies all
    settings over their whole ranges and the learning rate near the best, the last third all of them near the best; each
    is spread as a Latin hypercube. Every trial runs from every start with every seed.
    """
    missing = _Missing(initial=problem.value(starts).repeat(len(seeds)))
    drawn: list[tuple[dict[str, Float[np.ndarray, " trials"]], Float[np.ndarray, "trials conditions"]] | None] = []
    for contestant in contestants:
        if not contestant.search or not trials:
            drawn.append(None)
            continue
        if progress is not None:
            progress(contestant.label, 0, trials)

        def losses_of(
            settings: Mapping[str, Float[np.ndarray, " some"]], contestant: Contestant = contestant
        ) -> Float[np.ndarray, "some conditions"]:
            return _losses(problem, contestant, settings, starts=starts, seeds=seeds, steps=steps, bound=bound)

        generator = np.random.default_rng(seed)
        centre = _places(contestant.search, contestant.settings)
        settings: dict[str, Float[np.ndarray, " trials"]] = {}
        losses = np.empty((0, len(missing.initial)))
        for phase, count in enumerate(_shares(trials)):
            units = _draws(phase, count, centre, list(contestant.search), generator)
            drawn_now = _with_own(phase, contestant, _settings(contestant.search, units))
            settings = {name: np.append(settings.get(name, []), values) for name, values in drawn_now.items()}
            losses = np.concatenate([losses, losses_of(drawn_now)])
            best = missing.scores(losses, losses.min(axis=0)).argmin()
            centre = _places(contestant.search, {name: values[best] for name, values in settings.items()})
            if progress is not None:
                progress(contestant.label, len(losses), trials)
        drawn.append((settings, losses))
    tuned = [one[1] for one in drawn if one is not None]
    lowest = np.min([losses.min(axis=0) for losses in tuned], axis=0) if tuned else np.empty(0)
    return [None if one is None else _tuning(*one, missing.scores(one[1], lowest)) for one in drawn]


def _tuning(
    settings: dict[str, Float[np.ndarray, " trials"]],
    losses: Float[np.ndarray, "trials conditions"],
    scores: Float[np.ndarray, " trials"],
) -> Tuning:
    return Tuning(
        settings=settings,
        losses=losses,
        scores=scores,
        sweep=_shares(len(scores))[0] if RATES & set(settings) else 0,
        best=int(scores.argmin()),
    )


class _Missing:
    """The share of the loss's decrease that is missing: scale-free, so that no start outweighs the others."""

    def __init__(self, *, initial: Float[np.ndarray, " conditions"]) -> None:
        self.initial = initial

    def scores(
        self, losses: Float[np.ndarray, "trials conditions"], lowest: Float[np.ndarray, " conditions"]
    ) -> Float[np.ndarray, " trials"]:
        """(loss − lowest) / (initial − lowest), averaged over the conditions; inf when all of them diverged.

        Nothing that ends above its start counts more than `NOTHING_WORSE`, but for diverging.
        """
        with np.errstate(all="ignore"):
            way = self.initial - lowest
            share = np.where(way > 0, (losses - lowest) / way, np.where(losses > lowest, 1.0, 0.0))
        share = np.minimum(np.nan_to_num(share, nan=NOTHING_WORSE), NOTHING_WORSE)
        diverged = np.isposinf(losses)
        scores: Float[np.ndarray, " trials"] = np.where(diverged, DIVERGED, share).mean(axis=1)
        return np.where(diverged.all(axis=1), np.inf, scores)


def _losses(
    problem: Function,
    contestant: Contestant,
    settings: Mapping[str, Float[np.ndarray, " some"]],
    *,
    starts: Float[np.ndarray, "starts parameters"],
    seeds: Int64[np.ndarray, " seeds"],
    steps: int,
    bound: float,
) -> Float[np.ndarray, "some conditions"]:
    count = len(next(iter(settings.values())))
    conditions = len(starts) * len(seeds)
    summary = contestant.summarise(
        problem,
        np.tile(starts.repeat(len(seeds), axis=0), (count, 1)),
        steps=steps,
        seeds=np.tile(seeds, count * len(starts)),
        bound=bound,
        settings={name: values.repeat(conditions) for name, values in settings.items()},
        target=None,
    )
    return summary.losses.reshape(count, conditions)


def _shares(trials: int) -> list[int]:
    """How many trials each phase gets: a third, the first at least one; phases without any are left out."""
    first = max(1, trials - 2 * (trials // 3))
    return [count for count in (first, trials // 3, trials // 3) if count]


def _draws(
    phase: int, count: int, centre: Sequence[float], names: Sequence[str], generator: np.random.Generator
) -> Float[np.ndarray, "count settings"]:
    """Places in the unit cube: see `tune_all`."""
    is_rate = np.array([name in RATES for name in names])
    if phase == 0:
        # The first trial is what the contestant came with, and takes no cell of the hypercube.
        cube = np.concatenate([[centre], _latin_hypercube(count - 1, len(names), generator)])
        return np.where(is_rate, cube, centre) if is_rate.any() else cube
    cube = _latin_hypercube(count, len(names), generator)
    box = np.clip(np.asarray(centre) + NARROWED * (2 * cube - 1), 0.0, 1.0)
    return np.where(is_rate, box, cube) if phase == 1 and is_rate.any() else box


def _with_own(
    phase: int, contestant: Contestant, settings: dict[str, Float[np.ndarray, " some"]]
) -> dict[str, Float[np.ndarray, " some"]]:
    """Put the contestant's own settings where they belong, exactly: by way of the unit interval they are rounded.

    In the first phase all but the learning rate. Later, a setting that lies outside the range in which it is looked
    for, such as a momentum of 0, is kept by every other trial: it may well be the best.
    """
    for name, values in settings.items():
        own = float(contestant.settings[name])  # type: ignore[arg-type]
        outside = not contestant.search[name].low <= own <= contestant.search[name].high
        if phase == 0:
            values[: 1 if name in RATES or not RATES & set(settings) else None] = own
        elif outside:
            values[::2] = own
    return settings


def _latin_hypercube(
    count: int, dimensions: int, generator: np.random.Generator
) -> Float[np.ndarray, "count dimensions"]:
    """`count` points of the unit cube, of which each 1/count-th of each axis holds exactly one."""
    cells = np.stack([generator.permutation(count) for _ in range(dimensions)], axis=1)
    return (cells + generator.random((count, dimensions))) / count


def _places(search: Mapping[str, Range], settings: Mapping[str, object]) -> list[float]:
    """Where these settings lie in the ranges, or the nearest end."""
    with np.errstate(divide="ignore"):
        places = [each.place(np.asarray(settings[name])) for name, each in search.items()]
    return [float(np.clip(place, 0.0, 1.0)) for place in places]


def _settings(
    search: Mapping[str, Range], units: Float[np.ndarray, "some dimensions"]
) -> dict[str, Float[np.ndarray, " some"]]:
    return {name: each.at(units[:, column]) for column, (name, each) in enumerate(search.items())}
