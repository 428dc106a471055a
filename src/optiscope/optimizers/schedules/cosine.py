"""Half a cosine wave from a start to an end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """end + (start − end) · (1 + cos(π t/steps))/2 until `steps`, then end.

    PyTorch's climbs again after `steps`, which has surprised many: `returns` asks for that. `CosineRestarts` jumps up.
    """

    name: ClassVar[str] = "cosine"
    title: ClassVar[str] = "Cosine"
    formula: ClassVar[str] = "end + (start − end) · (1 + cos(π · min(t/steps, 1)))/2"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.CosineAnnealingLR"

    start: float
    """The first number."""
    steps: int
    """Steps until `end` is reached."""
    end: float = 0.0
    """The number at step `steps`."""
    returns: bool = False
    """Whether it goes back up to `start` in the next `steps` steps, and so on, instead of staying at `end`."""

    def __post_init__(self) -> None:
        require_finite(self, "start", "end")
        require_steps(self, "steps")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        part = (step if self.returns else min(step, self.steps)) / self.steps
        return float(self.end + (self.start - self.end) * (1 + math.cos(math.pi * part)) / 2)


SCHEDULE = Cosine
