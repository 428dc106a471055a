"""Half cosine waves that jump back to the top."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class CosineRestarts(Schedule):
    """end + (start − end) · (1 + cos(π s/p))/2, s steps after the last restart, in a period of p = steps · factorᵏ.

    Source: I. Loshchilov, F. Hutter: SGDR: Stochastic gradient descent with warm restarts, 2017, equation 5.
    """

    name: ClassVar[str] = "cosine_restarts"
    title: ClassVar[str] = "Cosine with restarts"
    formula: ClassVar[str] = "end + (start − end) · (1 + cos(π s/p))/2, s steps into a period p = steps · factorᵏ"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts"

    start: float
    """The first number, and that after each restart."""
    steps: int
    """Steps of the first period."""
    factor: int = 1
    """How many times longer each period is than the one before, a whole number."""
    end: float = 0.0
    """What each period falls towards; the step that would have it is the restart."""

    def __post_init__(self) -> None:
        require_finite(self, "start", "end")
        require_steps(self, "steps", "factor")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        since, period = step, self.steps
        if self.factor == 1:
            since %= period
        while since >= period:
            since -= period
            period *= self.factor
        return float(self.end + (self.start - self.end) * (1 + math.cos(math.pi * since / period)) / 2)


SCHEDULE = CosineRestarts
