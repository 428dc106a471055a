"""What a schedule is: a number for each step, such as the learning rate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class Schedule(ABC):
    """A number for each step; a frozen dataclass whose fields are its settings. Same step, same number.

    It can take the place of any setting of a rule: `Adam(learning_rate=Cosine(start=0.1, steps=1000))`.
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
