"""Rprop: only the signs of the gradient; each coordinate has its own step size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, Range, Uniform


@dataclass(frozen=True, kw_only=True, eq=False)
class Rprop(TensorRule):
    """s ← clip(s·η₊, s·η₋ or s, by whether g·g′ is > 0, < 0 or 0); θ ← θ − s sign(g).

    g′ is the gradient before. Where the sign turned, the coordinate rests for one step and g′ becomes 0. Made for full
    batches: noise turns signs too, which `RMSprop` is meant to bear.
    """

    name: ClassVar[str] = "rprop"
    title: ClassVar[str] = "Rprop"
    paper: ClassVar[str] = (
        "M. Riedmiller, H. Braun: A direct adaptive method for faster backpropagation learning: The RPROP "
        "algorithm, 1993"
    )
    reference: ClassVar[str] = "torch.optim.Rprop"
    search: ClassVar[Mapping[str, Range]] = {
        "learning_rate": LEARNING_RATE,
        "increase": Uniform(1.05, 1.5),
        "decrease": Uniform(0.2, 0.8),
    }
    batching: ClassVar[Batching] = "elementwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "increase": POSITIVE,
        "decrease": POSITIVE,
        "smallest": POSITIVE,
        "largest": POSITIVE,
    }

    learning_rate: Setting = 1e-2
    """The first step size of each coordinate; the rule finds the others itself."""
    increase: Setting = 1.2
    """η₊, by which a step size grows."""
    decrease: Setting = 0.5
    """η₋, by which a step size shrinks."""
    smallest: float = 1e-6
    """The smallest step size."""
    largest: float = 50.0
    """The largest step size."""

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = (self.smallest, self.largest)
        if all(isinstance(one, int | float) for one in numbers) and self.smallest > self.largest:
            raise ArgumentError(
                "smallest of rprop is at most largest: every step size lies between the two. "
                f"Received: smallest={self.smallest!r}, largest={self.largest!r}."
            )

    def init_tensor(self, parameter: Array) -> TensorState:
        """No gradient before; the first step sizes are set by the first step."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "step_size": zeros, "previous_gradient": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Rprop."""
        del parameter, curvature
        xp = namespace(gradient)
        # Not in `init_tensor`: there the learning rate may still be a schedule.
        size = state["step_size"] if state["step"] > 0 else xp.zeros_like(gradient) + self.learning_rate
        agreement = gradient * state["previous_gradient"]
        size = xp.where(agreement > 0, size * self.increase, xp.where(agreement < 0, size * self.decrease, size))
        size = xp.clip(size, self.smallest, self.largest)
        g = xp.where(agreement < 0, xp.zeros_like(gradient), gradient)
        return -xp.sign(g) * size, {"step": state["step"] + 1, "step_size": size, "previous_gradient": g}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """s: the rate of the gradient’s sign."""
        del parameter
        return state["step_size"]


RULE = Rprop
