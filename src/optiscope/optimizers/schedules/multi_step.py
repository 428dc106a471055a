"""Changes at chosen steps, constant in between."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.requirements import require_finite, require_not_negative, require_rising_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class MultiStep(Schedule):
    """start · the product of the factors at all milestones ≤ t: piecewise constant. `Step` has equal distances."""

    name: ClassVar[str] = "multi_step"
    title: ClassVar[str] = "Multi-step"
    formula: ClassVar[str] = "start · ∏ {factorᵢ : milestoneᵢ ≤ t}"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.MultiStepLR"

    start: float
    """The first number."""
    milestones: tuple[int, ...]
    """Steps at which it changes, rising."""
    factor: float | tuple[float, ...] = 0.1
    """What the number is multiplied by at every milestone, or one factor for each milestone."""

    def __post_init__(self) -> None:
        require_finite(self, "start")
        require_rising_steps(self, "milestones")
        if not isinstance(self.factor, tuple):
            require_not_negative(self, "factor")
        elif len(self.factor) != len(self.milestones) or not all(0 <= one < math.inf for one in self.factor):
            raise ArgumentError(
                f"factor of multi_step is one number of at least 0, or as many as there are milestones "
                f"({len(self.milestones)}). Received: {self.factor!r}."
            )

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        passed = bisect_right(self.milestones, step)
        if isinstance(self.factor, tuple):
            return float(self.start * math.prod(self.factor[:passed]))
        return float(self.start * self.factor**passed)


SCHEDULE = MultiStep
