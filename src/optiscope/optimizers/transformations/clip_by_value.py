"""Cuts off what is too large in each coordinate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipByValue(TensorTransformation):
    """d ← max(−maximum, min(d, maximum)) in each coordinate. It turns the direction; `clip_by_norm` does not."""

    name: ClassVar[str] = "clip_by_value"
    title: ClassVar[str] = "clipped by value"
    reference: ClassVar[str] = "torch.nn.utils.clip_grad_value_"
    limits: ClassVar[Mapping[str, Limit]] = {"maximum": POSITIVE}

    maximum: Setting
    """The greatest magnitude of a coordinate."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction within a box."""
        del parameter
        return namespace(direction).clip(direction, -self.maximum, self.maximum), state


def clip_by_value(maximum: Setting) -> ClipByValue:
    """Limit each coordinate of the direction to [−maximum, maximum]; see `ClipByValue`."""
    return ClipByValue(maximum=maximum)


TRANSFORMATION = ClipByValue
