"""Weight decay that is not scaled by what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import LogUniform, Range
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class AddWeightDecay(TensorTransformation):
    """d ← d + λθ, placed after the scaling: decoupled weight decay, as in AdamW.

    `add_l2` is the same formula placed before the scaling, where it is a part of the gradient.
    """

    name: ClassVar[str] = "add_weight_decay"
    title: ClassVar[str] = "weight decay"
    reference: ClassVar[str] = "torch.optim.AdamW"
    search: ClassVar[Mapping[str, Range]] = {"weight_decay": LogUniform(1e-6, 1e0)}

    weight_decay: Setting
    """λ. A learning rate after it multiplies it too."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction, and towards zero."""
        return direction + self.weight_decay * parameter, state


def add_weight_decay(weight_decay: Setting) -> AddWeightDecay:
    """Add `weight_decay` times the parameters to the direction; see `AddWeightDecay`."""
    return AddWeightDecay(weight_decay=weight_decay)


TRANSFORMATION = AddWeightDecay
