"""What a schedule is: a number for each step, such as the learning rate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

from optiscope.call_syntax import spell_call
from optiscope.construction import setting_names


class Schedule(ABC):
    """A number for each step; a frozen dataclass whose fields are its settings. Same step, same number.

    It can take the place of any setting of a rule: `Adam(learning_rate=Cosine(start=0.1, steps=1000))`. What depends
    on the losses that training reaches is a `ReactiveSchedule` instead.
    """

    name: ClassVar[str]
    """Name by which it is asked for, such as "cosine"."""
    title: ClassVar[str]
    """Name for titles."""
    formula: ClassVar[str]
    """The number at step t, in Unicode."""
    reference: ClassVar[str]
    """What the tests verify it against: "torch.optim.lr_scheduler.CosineAnnealingLR", "closed form" …"""

    @abstractmethod
    def __call__(self, step: int) -> float:
        """The number at `step`: the count of steps completed before, so the first step has 0."""

    @property
    @final
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in setting_names(type(self))}

    def __str__(self) -> str:
        return spell_call(self.name, self.settings)
