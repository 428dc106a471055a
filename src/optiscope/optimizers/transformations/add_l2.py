"""The gradient of an ℓ2 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import LogUniform, Range
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class AddL2(TensorTransformation):
    """d ← d + λθ, placed before the scaling: the gradient of the loss with the penalty ½λ‖θ‖², as in PyTorch's Adam.

    An adaptive scaling after it makes the penalty weak where gradients are large. `add_weight_decay` is the same
    formula placed after the scaling, where all weights decay alike. Without a scaling in between, the two are the same.
    """

    name: ClassVar[str] = "add_l2"
    title: ClassVar[str] = "ℓ2"
    reference: ClassVar[str] = "torch.optim.Adam with weight_decay"
    search: ClassVar[Mapping[str, Range]] = {"weight_decay": LogUniform(1e-6, 1e0)}

    weight_decay: Setting
    """λ."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The gradient with that of the penalty."""
        return direction + self.weight_decay * parameter, state


def add_l2(weight_decay: Setting) -> AddL2:
    """Add the gradient of ½ · `weight_decay` · ‖θ‖² to the direction; see `AddL2`."""
    return AddL2(weight_decay=weight_decay)


TRANSFORMATION = AddL2
