"""The product of schedules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_schedules
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Multiply(Schedule):
    """∏ schedulesᵢ(t), all of them running from step 0. `Join` runs one after the other instead."""

    name: ClassVar[str] = "multiply"
    title: ClassVar[str] = "Product"
    formula: ClassVar[str] = "∏ schedulesᵢ(t)"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.ChainedScheduler"

    schedules: tuple[Schedule, ...]
    """The factors."""

    def __post_init__(self) -> None:
        require_schedules(self, "schedules", self.schedules)

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        return math.prod(schedule(step) for schedule in self.schedules)


SCHEDULE = Multiply
