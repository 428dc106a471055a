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
"""Half the width, as a share of each range, of the box around the best trial in which the second half is drawn."""

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

    The first trial is the settings that the contestant came with; half of all are spread evenly over the whole ranges
    (a Latin hypercube), the rest over a box around the best of those. Each trial runs from every start with every seed.
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
        broad = max(1, trials - trials // 2)
        units = _latin_hypercube(broad, len(contestant.search), generator)
        units[0] = _own_place(contestant)
        settings = _settings(contestant.search, units)
        for name, values in settings.items():
            # Not by way of the unit interval: it rounds, and a range need not hold what the contestant came with.
            values[0] = contestant.settings[name]
        losses = losses_of(settings)
        if progress is not None:
            progress(contestant.label, broad, trials)
        if trials > broad:
            centre = units[missing.scores(losses, losses.min(axis=0)).argmin()]
            box = NARROWED * (2 * _latin_hypercube(trials - broad, len(contestant.search), generator) - 1)
            narrow = _settings(contestant.search, np.clip(centre + box, 0.0, 1.0))
            losses = np.concatenate([losses, losses_of(narrow)])
            settings = {name: np.concatenate([settings[name], narrow[name]]) for name in settings}
        if progress is not None:
            progress(contestant.label, trials, trials)
        drawn.append((settings, losses))
    tuned = [one[1] for one in drawn if one is not None]
    lowest = np.min([losses.min(axis=0) for losses in tuned], axis=0) if tuned else np.empty(0)
    return [None if one is None else _tuning(*one, missing.scores(one[1], lowest)) for one in drawn]


def _tuning(
    settings: dict[str, Float[np.ndarray, " trials"]],
    losses: Float[np.ndarray, "trials conditions"],
    scores: Float[np.ndarray, " trials"],
) -> Tuning:
    return Tuning(settings=settings, losses=losses, scores=scores, best=int(scores.argmin()))


class _Missing:
    """The share of the loss's decrease that is missing: scale-free, so that no start outweighs the others."""

    def __init__(self, *, initial: Float[np.ndarray, " conditions"]) -> None:
        self._initial = initial

    def scores(
        self, losses: Float[np.ndarray, "trials conditions"], lowest: Float[np.ndarray, " conditions"]
    ) -> Float[np.ndarray, " trials"]:
        """(loss − lowest) / (initial − lowest), averaged over the conditions; inf where one diverged.

        Nothing that ends above its start is worse than twice the whole way: diverging is worse still.
        """
        with np.errstate(all="ignore"):
            way = self._initial - lowest
            share = np.where(way > 0, (losses - lowest) / way, np.where(losses > lowest, 1.0, 0.0))
        share = np.where(np.isposinf(losses), np.inf, np.minimum(np.nan_to_num(share, nan=2.0), 2.0))
        scores: Float[np.ndarray, " trials"] = share.mean(axis=1)
        return scores


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


def _latin_hypercube(
    count: int, dimensions: int, generator: np.random.Generator
) -> Float[np.ndarray, "count dimensions"]:
    """`count` points of the unit cube, of which each 1/count-th of each axis holds exactly one."""
    cells = np.stack([generator.permutation(count) for _ in range(dimensions)], axis=1)
    return (cells + generator.random((count, dimensions))) / count


def _own_place(contestant: Contestant) -> list[float]:
    """Where the contestant's own settings lie in the ranges, or the nearest end."""
    with np.errstate(divide="ignore"):
        places = [each.place(np.asarray(contestant.settings[name])) for name, each in contestant.search.items()]
    return [float(np.clip(place, 0.0, 1.0)) for place in places]


def _settings(
    search: Mapping[str, Range], units: Float[np.ndarray, "some dimensions"]
) -> dict[str, Float[np.ndarray, " some"]]:
    return {name: each.at(units[:, column]) for column, (name, each) in enumerate(search.items())}
