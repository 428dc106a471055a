"""Up, level for most of the time, and down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from optiscope.optimizers.schedules.requirements import require_choice, require_finite, require_steps
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class WarmupStableDecay(Schedule):
    """A line from `start` to `peak`, `peak` for `stable` steps, and down to `end` in `decay` steps.

    The length of training need not be known before: the level part goes on until the decay is begun. The decay goes
    by 1 − u ("linear"), (1 + cos πu)/2 ("cosine") or 1 − √u ("square_root"), u from 0 to 1.

    Source: S. Hu and others: MiniCPM, 2024; 1 − √u: A. Hägele and others: Scaling laws and compute-optimal training
    beyond fixed training durations, 2024.
    """

    name: ClassVar[str] = "warmup_stable_decay"
    title: ClassVar[str] = "Warm-up–stable–decay"
    formula: ClassVar[str] = "start ↗ peak in warm_up steps, peak for stable steps, peak ↘ end in decay steps"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.SequentialLR of LinearLR, ConstantLR and LinearLR"

    peak: float
    """The number of the level part."""
    stable: int
    """Steps of the level part."""
    decay: int
    """Steps of the decay."""
    warm_up: int = 0
    """Steps of the warm-up."""
    start: float = 0.0
    """The first number, when there is a warm-up."""
    end: float = 0.0
    """The last number."""
    shape: Literal["linear", "cosine", "square_root"] = "linear"
    """How the decay goes."""

    def __post_init__(self) -> None:
        require_finite(self, "peak", "start", "end")
        require_steps(self, "stable", "warm_up", least=0)
        require_steps(self, "decay")
        require_choice(self, "shape", ("linear", "cosine", "square_root"))

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        if step < self.warm_up:
            return float(self.start + (self.peak - self.start) * (step / self.warm_up))
        u = min(max(step - self.warm_up - self.stable, 0) / self.decay, 1.0)
        if self.shape == "linear":
            left = 1 - u
        elif self.shape == "cosine":
            left = (1 + math.cos(math.pi * u)) / 2
        else:
            left = 1 - math.sqrt(u)
        return float(self.end + (self.peak - self.end) * left)


SCHEDULE = WarmupStableDecay
