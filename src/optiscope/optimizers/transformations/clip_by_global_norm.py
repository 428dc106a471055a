"""Shortens the direction of all tensors together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Arrays, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.norms import norm
from optiscope.optimizers.precision import in_type_of
from optiscope.optimizers.rule import Batching, Setting, State
from optiscope.optimizers.transformations.clip_by_norm import shortening
from optiscope.optimizers.transformations.transformation import Transformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipByGlobalNorm(Transformation):
    """d ← d · min(1, maximum/(‖d‖ + ε)), with the norm over all tensors: the direction as a whole is kept.

    `clip_by_norm` takes each tensor by itself; with a single tensor the two are the same. Under PyTorch the tensors
    are those of one parameter group.
    """

    name: ClassVar[str] = "clip_by_global_norm"
    title: ClassVar[str] = "clipped by global norm"
    reference: ClassVar[str] = "torch.nn.utils.clip_grad_norm_"
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"maximum": POSITIVE}

    maximum: Setting
    """The greatest length."""
    epsilon: Setting = 1e-6
    """ε of PyTorch: the length that results is a little less than the maximum."""

    def update(self, directions: Arrays, state: State, parameters: Arrays) -> tuple[Arrays, State]:
        """The shortened directions."""
        del parameters
        if not directions:
            return directions, state
        # One length for each tensor, side by side along a last axis, whatever the shapes of the tensors.
        batch = directions[0].shape[: self.batch_axes]
        lengths = [norm(one, self.tensor_axes(one)).reshape((*batch, 1)) for one in directions]
        together = namespace(lengths[0]).concat(lengths, axis=-1) if len(lengths) > 1 else lengths[0]
        factor = shortening(norm(together, (together.ndim - 1,)), self.maximum, self.epsilon)
        return tuple(
            one * in_type_of(factor, one).reshape((*batch, *(1,) * (one.ndim - self.batch_axes))) for one in directions
        ), state


def clip_by_global_norm(maximum: Setting, *, epsilon: Setting = 1e-6) -> ClipByGlobalNorm:
    """Shorten the direction of all tensors together to at most `maximum`; see `ClipByGlobalNorm`."""
    return ClipByGlobalNorm(maximum=maximum, epsilon=epsilon)


TRANSFORMATION = ClipByGlobalNorm
