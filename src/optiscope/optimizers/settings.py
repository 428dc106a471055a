"""Checks the settings of a rule when it is made: a learning rate of NaN should not cost an evening."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule


class HasSettings(Protocol):
    """A rule, or a transformation of a chain."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings by name."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What numbers a setting may be."""

    words: str
    """The condition as people say it."""
    holds: Callable[[float], bool]
    """The condition."""


_POSITIVE = Limit(words="a finite number above 0", holds=lambda value: 0 < value < math.inf)
_NOT_NEGATIVE = Limit(words="a finite number, 0 or above", holds=lambda value: 0 <= value < math.inf)
_FRACTION = Limit(words="at least 0 and below 1", holds=lambda value: 0 <= value < 1)

LIMITS: Mapping[str, Limit] = {
    "learning_rate": _POSITIVE,
    "momentum": _FRACTION,
    "dampening": _FRACTION,
    "decay": _FRACTION,
    **{f"beta{number}": _FRACTION for number in ("", 1, 2, 3)},
    "epsilon": _NOT_NEGATIVE,
    "damping": _NOT_NEGATIVE,
    "weight_decay": _NOT_NEGATIVE,
    **dict.fromkeys(("initial_accumulator", "learning_rate_decay", "momentum_decay"), _NOT_NEGATIVE),
    **dict.fromkeys(("gamma", "interval", "trust_coefficient"), _POSITIVE),
    **dict.fromkeys(("increase", "decrease", "smallest", "largest"), _POSITIVE),
}
"""What the settings of these names may be, in whichever rule they occur."""


def check_settings(rule: HasSettings) -> None:
    """Raise `ArgumentError` for a setting outside its limits. A schedule is trusted to give fitting numbers."""
    for name, value in rule.settings.items():
        limit = LIMITS.get(name)
        if limit is None or isinstance(value, Schedule | ReactiveSchedule):
            continue
        numbers = np.asarray(value)
        fits = numbers.dtype.kind in "fiu" and all(limit.holds(float(number)) for number in numbers.ravel())
        if not fits:
            raise ArgumentError(f"{name} of {rule.name} is {limit.words}. Received: {value!r}.")
