"""Steps down a staircase of equal treads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_not_negative, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """start · factor^⌊t/every⌋. `MultiStep` chooses each place; `Exponential` is the same decay without the treads."""

    name: ClassVar[str] = "step"
    title: ClassVar[str] = "Step"
    formula: ClassVar[str] = "start · factor^⌊t/every⌋"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.StepLR"

    start: float
    """The first number."""
    every: int
    """Steps between two changes."""
    factor: float = 0.1
    """What the number is multiplied by at each change."""

    def __post_init__(self) -> None:
        require_finite(self, "start")
        require_not_negative(self, "factor")
        require_steps(self, "every")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        return float(self.start * self.factor ** (step // self.every))


SCHEDULE = Step
