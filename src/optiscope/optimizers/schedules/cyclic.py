"""Triangles between two numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from optiscope.optimizers.schedules.requirements import (
    require_choice,
    require_finite,
    require_positive,
    require_steps,
)
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Cyclic(Schedule):
    """start + (peak − start) · h · s: h is a triangle between 0 and 1, s the size of the cycle.

    "triangular": s = 1; "triangular2": halved with each cycle; "exp_range": factorᵗ.

    Source: L. N. Smith: Cyclical learning rates for training neural networks, 2017.
    """

    name: ClassVar[str] = "cyclic"
    title: ClassVar[str] = "Cyclic"
    formula: ClassVar[str] = "start + (peak − start) · h(t) · s, with h a triangle and s = 1, 2⁻ᶜʸᶜˡᵉ or factorᵗ"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.CyclicLR"

    start: float
    """The number at the ends of each cycle."""
    peak: float
    """The number at the top of the first cycle. It may lie below `start`, for a momentum."""
    up: int
    """Steps from `start` to the peak."""
    down: int | None = None
    """Steps from the peak back; None: as many as up."""
    shape: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    """How the height of the triangles changes."""
    factor: float = 1.0
    """What the height of "exp_range" is multiplied by in each step."""

    def __post_init__(self) -> None:
        require_finite(self, "start", "peak")
        require_steps(self, "up")
        if self.down is not None:
            require_steps(self, "down")
        require_choice(self, "shape", ("triangular", "triangular2", "exp_range"))
        require_positive(self, "factor")

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        down = self.up if self.down is None else self.down
        cycle, since = divmod(step, self.up + down)
        height = since / self.up if since <= self.up else (self.up + down - since) / down
        size = {"triangular": 1.0, "triangular2": math.ldexp(1.0, -cycle), "exp_range": self.factor**step}[self.shape]
        return float(self.start + (self.peak - self.start) * height * size)

    def momentum(self, *, low: float = 0.8, high: float = 0.9) -> Cyclic:
        """The momentum that goes with this learning rate: `high` at its start, `low` at its first peak."""
        return replace(self, start=high, peak=low)


SCHEDULE = Cyclic
