"""Shortens the direction of each tensor that is too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.norms import norm
from optiscope.optimizers.precision import in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorState
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipByNorm(TensorTransformation):
    """d ← d · min(1, maximum/(‖d‖ + ε)), for each tensor by itself.

    It keeps the direction of each tensor but not that of all together, which `clip_by_global_norm` does.
    `clip_by_value` keeps neither.
    """

    name: ClassVar[str] = "clip_by_norm"
    title: ClassVar[str] = "clipped by norm"
    reference: ClassVar[str] = "torch.nn.utils.clip_grad_norm_ of one tensor"
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"maximum": POSITIVE}

    maximum: Setting
    """The greatest length."""
    epsilon: Setting = 1e-6
    """ε of PyTorch: the length that results is a little less than the maximum."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The shortened direction."""
        del parameter
        length = norm(direction, self.tensor_axes(direction))
        return direction * in_type_of(shortening(length, self.maximum, self.epsilon), direction), state


def shortening(length: Array, maximum: Setting, epsilon: Setting) -> Array:
    """min(1, maximum/(length + ε)): what a vector is multiplied by so that it is not too long."""
    ratio = maximum / (length + epsilon)
    xp = namespace(ratio)
    return xp.minimum(ratio, xp.ones_like(ratio))


def clip_by_norm(maximum: Setting, *, epsilon: Setting = 1e-6) -> ClipByNorm:
    """Shorten the direction of each tensor to a length of at most `maximum`; see `ClipByNorm`."""
    return ClipByNorm(maximum=maximum, epsilon=epsilon)


TRANSFORMATION = ClipByNorm
