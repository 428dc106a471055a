"""Decays by the same factor in every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_positive, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """start · factor^(t/steps). With `steps` = 1 the factor applies to each step. `Step` rounds t/steps down."""

    name: ClassVar[str] = "exponential"
    title: ClassVar[str] = "Exponential"
    formula: ClassVar[str] = "start · factor^(t/steps)"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.ExponentialLR"

    start: float
    """The first number."""
    factor: float = 0.99
    """What the number is multiplied by over `steps` steps."""
    steps: int = 1
    """Steps that it takes to get smaller by the factor."""

    def __post_init__(self) -> None:
        require_finite(self, "start")
        require_positive(self, "factor")
        require_steps(self, "steps")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        return float(self.start * self.factor ** (step / self.steps))


SCHEDULE = Exponential
