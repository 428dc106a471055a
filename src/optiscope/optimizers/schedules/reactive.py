"""What a reactive schedule is: a number that depends on the losses that training has reached."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, final

import numpy as np
from jaxtyping import Float

from optiscope.call_syntax import spell_call
from optiscope.construction import setting_names

Numbers = Float[np.ndarray, "*rows"]
"""One number for each independent trajectory; a single trajectory has no axes."""


class ReactiveState(Protocol):
    """What a reactive schedule remembers between steps."""

    @property
    def value(self) -> Numbers:
        """The number for the next step."""
        ...


class ReactiveSchedule(ABC):
    """A state machine: `start` gives the first state, `after` the next one from the loss of the step.

    The number to use is `state.value`.

    Every row of a batch has its own loss and so its own number. A `Schedule` needs no state, as it looks at the count
    of steps alone. A reactive schedule may stand for a setting of a rule too; whoever runs the rule replaces it.
    """

    name: ClassVar[str]
    """Name by which it is asked for, such as "reduce_on_plateau"."""
    title: ClassVar[str]
    """Name for titles."""
    formula: ClassVar[str]
    """What happens when, in Unicode."""
    reference: ClassVar[str]
    """What the tests verify it against."""

    @abstractmethod
    def start(self, shape: tuple[int, ...] = ()) -> Any:
        """The state before the first step, for rows of this shape. It is a `ReactiveState`."""

    @abstractmethod
    def after(self, loss: Numbers | float, state: Any) -> Any:
        """The state after a step (or an epoch, as the caller likes) that ended with `loss`. `state` is not changed."""

    @final
    def values(self, losses: Float[np.ndarray, "steps *rows"]) -> Float[np.ndarray, "steps *rows"]:
        """The number used in each step when the steps end with these losses: what a preview draws."""
        state = self.start(losses.shape[1:])
        used = np.empty(losses.shape)
        for step, loss in enumerate(losses):
            used[step] = state.value
            state = self.after(loss, state)
        return used

    @property
    @final
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in setting_names(type(self))}

    def __str__(self) -> str:
        return spell_call(self.name, self.settings)
