"""What numbers a setting may be, and how the errors say it: for rules, transformations and schedules alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a setting may be."""

    words: str
    """The condition as people say it."""
    holds: Callable[[float], bool]
    """The condition, for a single number."""
    is_whole: bool = False
    """Whether only plain whole numbers are meant: counts, which neither follow a schedule nor differ by row."""
    may_be_none: bool = False
    """Whether None is a choice too."""

    def or_none(self) -> Limit:
        """The same, or None."""
        return replace(self, words=f"{self.words}, or None", may_be_none=True)

    def allows(self, value: object) -> bool:
        """Whether the value, a number or an array of them, fits."""
        if value is None:
            return self.may_be_none
        if self.is_whole:
            return not isinstance(value, bool) and isinstance(value, Integral) and self.holds(int(value))
        try:
            # A tensor may have a history, or lie on another device.
            numbers = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        except (TypeError, ValueError):
            return False
        return numbers.dtype.kind in "fiu" and all(self.holds(float(number)) for number in numbers.ravel())

    def allows_number(self, value: object) -> bool:
        """Whether the value is a single number that fits."""
        return not isinstance(value, bool) and isinstance(value, Real) and self.allows(value)


FINITE = Limit(words="a finite number", holds=math.isfinite)
POSITIVE = Limit(words="a finite number above 0", holds=lambda value: 0 < value < math.inf)
NOT_NEGATIVE = Limit(words="a finite number, 0 or above", holds=lambda value: 0 <= value < math.inf)
FRACTION = Limit(words="at least 0 and below 1", holds=lambda value: 0 <= value < 1)
AT_MOST_ONE = Limit(words="a number from 0 to 1", holds=lambda value: 0 <= value <= 1)
SEED = Limit(words="a whole number, 0 or above", holds=lambda value: 0 <= value < math.inf and value == int(value))


def at_least(least: int) -> Limit:
    """A count of at least so many."""
    return Limit(words=f"a whole number, {least} or above", holds=lambda value: value >= least, is_whole=True)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of a few words."""

    choices: Sequence[object]
    """The words."""

    @property
    def words(self) -> str:
        """The condition as people say it."""
        return f"one of {', '.join(repr(choice) for choice in self.choices)}"

    @property
    def is_whole(self) -> bool:
        """Whether no schedule can take its place."""
        return True

    def allows(self, value: object) -> bool:
        """Whether the value is one of them."""
        return any(value is choice or (type(value) is type(choice) and value == choice) for choice in self.choices)


YES_OR_NO = Choice(choices=(True, False))
