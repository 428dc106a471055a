"""Falls like one over the root of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class InverseSquareRoot(Schedule):
    """start · √(steps/(steps + t)): halved after 3 · steps steps, and never at zero.

    After a linear warm-up of as many steps it is the schedule of the first transformer, ∝ min(n^−½, n · steps^−1.5)
    with n counted from the beginning.

    Source: A. Vaswani and others: Attention is all you need, 2017, equation 3.
    """

    name: ClassVar[str] = "inverse_square_root"
    title: ClassVar[str] = "Inverse square root"
    formula: ClassVar[str] = "start · √(steps/(steps + t))"
    reference: ClassVar[str] = "the paper"

    start: float
    """The first number."""
    steps: int
    """Time scale of the decay."""

    def __post_init__(self) -> None:
        require_finite(self, "start")
        require_steps(self, "steps")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        return float(self.start * math.sqrt(self.steps / (self.steps + step)))


SCHEDULE = InverseSquareRoot
