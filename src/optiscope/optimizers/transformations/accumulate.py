"""Waits for several gradients and goes on with their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Arrays, namespace
from optiscope.optimizers.limits import Limit
from optiscope.optimizers.rule import State
from optiscope.optimizers.settings import EVERY
from optiscope.optimizers.transformations.transformation import Transformation


@dataclass(frozen=True, kw_only=True, eq=False)
class Accumulate(Transformation):
    """d ← (d₁ + … + d_k)/k every k steps. In the steps between, nothing moves, and all that comes after it waits.

    Moments, look-ahead and averages behind it therefore count the steps that move. Schedules count all.
    """

    name: ClassVar[str] = "accumulate"
    title: ClassVar[str] = "accumulated"
    reference: ClassVar[str] = "torch.optim with the mean of k gradients"
    limits: ClassVar[Mapping[str, Limit]] = {"every": EVERY}

    every: int
    """k."""

    def init(self, parameters: Arrays) -> State:
        """Nothing yet."""
        return {"count": 0, "sums": tuple(namespace(parameter).zeros_like(parameter) for parameter in parameters)}

    def update(self, directions: Arrays, state: State, parameters: Arrays) -> tuple[Arrays | None, State]:
        """The mean, or None while the sum is not complete."""
        count = state["count"] + 1
        sums = tuple(total + direction for total, direction in zip(state["sums"], directions, strict=True))
        if count < self.every:
            return None, {"count": count, "sums": sums}
        return tuple(total / self.every for total in sums), self.init(parameters)


def accumulate(every: int) -> Accumulate:
    """Go on only every `every` steps, with the mean of the directions; see `Accumulate`."""
    return Accumulate(every=every)


TRANSFORMATION = Accumulate
