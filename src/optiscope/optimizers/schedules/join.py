"""One schedule after the other."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.requirements import require_rising_steps, require_schedules
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Join(Schedule):
    """schedulesᵢ(t − atᵢ₋₁), where i counts the switches at ≤ t. Each schedule begins anew at its switch."""

    name: ClassVar[str] = "join"
    title: ClassVar[str] = "Joined"
    formula: ClassVar[str] = "schedulesᵢ(t − switchᵢ), with i the number of switches until t"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.SequentialLR"

    schedules: tuple[Schedule, ...]
    """The schedules in their order."""
    at: tuple[int, ...] = ()
    """Steps at which the next schedule takes over, rising; one fewer than schedules."""

    def __post_init__(self) -> None:
        require_schedules(self, "schedules", self.schedules)
        if self.at:
            require_rising_steps(self, "at")
        if len(self.at) != len(self.schedules) - 1:
            raise ArgumentError(
                f"join needs one switch fewer than schedules: {len(self.schedules) - 1} for these. "
                f"Received: at={self.at!r}."
            )

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        which = bisect_right(self.at, step)
        return self.schedules[which](step - (self.at[which - 1] if which else 0))


SCHEDULE = Join
