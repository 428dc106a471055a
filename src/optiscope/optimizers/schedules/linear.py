"""A straight line to an end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Linear(Schedule):
    """start + (end − start) · t/steps until `steps`, then end. It may fall or rise."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear"
    formula: ClassVar[str] = "start + (end − start) · min(t/steps, 1)"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.LinearLR"

    start: float
    """The first number."""
    steps: int
    """Steps until `end` is reached."""
    end: float = 0.0
    """The number from step `steps` on."""

    def __post_init__(self) -> None:
        require_finite(self, "start", "end")
        require_steps(self, "steps")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        return float(self.start + (self.end - self.start) * (min(step, self.steps) / self.steps))


SCHEDULE = Linear
