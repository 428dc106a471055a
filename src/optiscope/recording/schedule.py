"""When to measure: schedules are values that can be compared, printed and stored.

>>> every(10).next_after(0), every(10).next_after(10)
(10, 20)
>>> [step for step in range(12) if at(0, 3, 7).due(step)]
[0, 3, 7]
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from optiscope.errors import ArgumentError


@runtime_checkable
class Schedule(Protocol):
    """Says at which steps something is measured."""

    def next_after(self, step: int) -> int | None:
        """The first due step that is greater than `step`, or None when there is none."""
        ...

    def due(self, step: int) -> bool:
        """Whether `step` is one of the schedule's steps."""
        ...


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


@dataclass(frozen=True)
class Every:
    """Steps 0, n, 2n, 3n …"""

    n: int

    def __post_init__(self) -> None:
        if not _is_whole(self.n, 1):
            raise ArgumentError(f"every(n) takes a whole number of steps from 1 upwards. Received: {self.n!r}")

    def next_after(self, step: int) -> int:
        """The next multiple of n."""
        return max(0, (step // self.n + 1) * self.n)

    def due(self, step: int) -> bool:
        """Whether n divides `step`."""
        return step >= 0 and step % self.n == 0


@dataclass(frozen=True)
class LogSpaced:
    """Steps 0, 1 and then ever rarer, evenly spaced in the logarithm: about `count` of them up to step `until`.

    Beyond `until` the spacing goes on with the same ratio, so that a run of unknown length is covered at every scale.
    """

    count: int
    until: int = 100_000

    def __post_init__(self) -> None:
        if not _is_whole(self.count, 3):
            raise ArgumentError(f"log_spaced(count) takes a whole number from 3 upwards. Received: {self.count!r}")
        if not _is_whole(self.until, 2):
            raise ArgumentError(
                f"log_spaced(until=…) takes a whole number of steps from 2 upwards. Received: {self.until!r}"
            )

    @property
    def ratio(self) -> float:
        """Ratio of one step to the one before, where that is more than a single step."""
        return float(self.until ** (1.0 / (self.count - 2)))

    def next_after(self, step: int) -> int:
        """The least rounded power of the ratio that is greater than `step`."""
        if step < 1:
            return step + 1 if step >= 0 else 0
        exponent = max(0, math.floor(math.log(step) / math.log(self.ratio)) - 1)
        while (candidate := round(self.ratio**exponent)) <= step:
            exponent += 1
        return candidate

    def due(self, step: int) -> bool:
        """Whether `step` is one of the rounded powers, or 0."""
        return step >= 0 and self.next_after(step - 1) == step


@dataclass(frozen=True)
class At:
    """The given steps and no others."""

    steps: tuple[int, ...]

    def __post_init__(self) -> None:
        if not all(_is_whole(step, 0) for step in self.steps):
            raise ArgumentError(f"at(…) takes whole numbers of steps from 0 upwards. Received: {self.steps!r}")
        object.__setattr__(self, "steps", tuple(sorted(set(self.steps))))

    def next_after(self, step: int) -> int | None:
        """The next of the given steps."""
        index = bisect_right(self.steps, step)
        return self.steps[index] if index < len(self.steps) else None

    def due(self, step: int) -> bool:
        """Whether `step` was given."""
        return step in self.steps


def every(n: int) -> Every:
    """Every n-th step, beginning with step 0. Raises `ArgumentError` unless n is a whole number ≥ 1."""
    return Every(n)


def log_spaced(count: int, until: int = 100_000) -> LogSpaced:
    """About `count` steps up to step `until`, dense at first and then ever rarer.

    Differs from `every`: the beginning of a run, where most happens, is seen step by step, and the cost of a long run
    grows with the logarithm of its length. Raises `ArgumentError` for fewer than 3.
    """
    return LogSpaced(count, until)


def at(*steps: int) -> At:
    """Exactly the given steps; `at()` is never. Raises `ArgumentError` for negative or fractional steps."""
    return At(steps)
