"""Rises at first, then follows another schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.requirements import (
    require_at_most_one,
    require_choice,
    require_schedules,
    require_steps,
)
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class WarmUp(Schedule):
    """From start_factor · then(0) up to then(0) in `steps` steps, and then(t − steps) after that.

    Linear: (f + (1 − f) t/steps) · then(0); exponential: f^(1 − t/steps) · then(0), with f = start_factor. To have the
    other schedule run from the first step on, use `Multiply` with a warm-up before the constant 1.
    """

    name: ClassVar[str] = "warm_up"
    title: ClassVar[str] = "Warm-up"
    formula: ClassVar[str] = "then(0) · (f + (1 − f) t/steps) or then(0) · f^(1 − t/steps), then then(t − steps)"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.SequentialLR of LinearLR or ExponentialLR and another"

    steps: int
    """Steps of the warm-up."""
    then: Schedule
    """What follows. It begins anew: its step 0 is the first one after the warm-up."""
    start_factor: float = 0.01
    """The share of then(0) at the first step; above 0 for an exponential warm-up."""
    shape: Literal["linear", "exponential"] = "linear"
    """How it rises."""

    def __post_init__(self) -> None:
        require_steps(self, "steps")
        require_schedules(self, "then", (self.then,))
        require_at_most_one(self, "start_factor")
        require_choice(self, "shape", ("linear", "exponential"))
        if self.shape == "exponential" and self.start_factor == 0:
            raise ArgumentError(
                "start_factor of an exponential warm_up is above 0: from 0 it never rises. Received: 0."
            )

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        if step >= self.steps:
            return self.then(step - self.steps)
        part = step / self.steps
        if self.shape == "exponential":
            return float(self.then(0) * self.start_factor ** (1 - part))
        return float(self.then(0) * (self.start_factor + (1 - self.start_factor) * part))


SCHEDULE = WarmUp
