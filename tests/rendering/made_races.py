"""Small races, run once."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from optiscope.experiments.race.race import race
from optiscope.experiments.race.result import Race


@lru_cache(maxsize=1)
def beale() -> Race:
    """Two that arrive, and one that diverges."""
    rules = ["adam(learning_rate=0.05)", "sgd(learning_rate=0.01)", "momentum(learning_rate=5.0)"]
    return race("beale", rules, steps=60)


@lru_cache(maxsize=1)
def tuned() -> Race:
    """Two that are tuned, judged from a few starts."""
    return race("booth", ["adam", "sgd"], steps=40, tune=6, reach=9)


def with_finals(finals: dict[str, list[float]], ranks: list[int]) -> Race:
    """A race with these losses at the end, and these ranks."""
    template = beale().entries[0]
    entries = tuple(
        replace(template, label=label, final=np.array(values), settled=np.array(values), rank=rank)
        for (label, values), rank in zip(finals.items(), ranks, strict=True)
    )
    return replace(beale(), entries=entries)
