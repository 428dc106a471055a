"""The same number for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.schedules.requirements import require_finite
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """value. As a part of others: constant after a warm-up, or for a while in a `Join`."""

    name: ClassVar[str] = "constant"
    title: ClassVar[str] = "Constant"
    formula: ClassVar[str] = "value"
    reference: ClassVar[str] = "closed form"

    value: float = 1.0
    """The number."""

    def __post_init__(self) -> None:
        require_finite(self, "value")

    def __call__(self, step: int) -> float:
        """The number."""
        del step
        return self.value


SCHEDULE = Constant
