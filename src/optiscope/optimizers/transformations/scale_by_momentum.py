"""Momentum without a learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import MOMENTUM, Range
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleByMomentum(TensorTransformation):
    """v ← μv + (1 − dampening)d, v = d at first; d ← v, or d + μv with Nesterov's look-ahead.

    Without dampening it sums: a constant direction is made 1/(1−μ) times longer. With dampening = μ it is a running
    mean, which does not change the length, but begins at the first direction and not at zero, unlike Adam's.
    """

    name: ClassVar[str] = "scale_by_momentum"
    title: ClassVar[str] = "momentum"
    reference: ClassVar[str] = "torch.optim.SGD"
    search: ClassVar[Mapping[str, Range]] = {"momentum": MOMENTUM}

    momentum: Setting = 0.9
    """μ."""
    dampening: Setting = 0.0
    """Share by which new directions are made shorter, except for the first; PyTorch leaves it out when μ is 0."""
    nesterov: bool = False
    """Whether the direction is that of the next step's momentum."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """No momentum."""
        return {"step": 0, "momentum": namespace(parameter).zeros_like(parameter)}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The momentum."""
        del parameter
        v = direction
        if state["step"] > 0:
            v = self.momentum * state["momentum"] + (1 - self.dampening) * direction
        after = {"step": state["step"] + 1, "momentum": v}
        return (direction + self.momentum * v if self.nesterov else v), after


def scale_by_momentum(momentum: Setting = 0.9, *, dampening: Setting = 0.0, nesterov: bool = False) -> ScaleByMomentum:
    """Replace the direction by a decaying sum of all directions so far; see `ScaleByMomentum`."""
    return ScaleByMomentum(momentum=momentum, dampening=dampening, nesterov=nesterov)


TRANSFORMATION = ScaleByMomentum
