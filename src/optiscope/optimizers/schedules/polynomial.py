"""Falls to an end along a power of the time that is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_positive, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """end + (start − end) · (1 − t/steps)^power until `steps`, then end. With power 1 it is `Linear`."""

    name: ClassVar[str] = "polynomial"
    title: ClassVar[str] = "Polynomial"
    formula: ClassVar[str] = "end + (start − end) · (1 − min(t/steps, 1))^power"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.PolynomialLR"

    start: float
    """The first number."""
    steps: int
    """Steps until `end` is reached."""
    power: float = 2.0
    """Above 1 it falls fast at first, below 1 fast at last."""
    end: float = 0.0
    """The number from step `steps` on. PyTorch's has none, which is 0."""

    def __post_init__(self) -> None:
        require_finite(self, "start", "end")
        require_positive(self, "power")
        require_steps(self, "steps")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        left = 1 - min(step, self.steps) / self.steps
        return float(self.end + (self.start - self.end) * left**self.power)


SCHEDULE = Polynomial
