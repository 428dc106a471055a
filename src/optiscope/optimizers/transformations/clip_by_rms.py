"""Shrinks the direction of each tensor whose coordinates are too large on average."""

from __future__ import annotations

import math
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
class ClipByRms(TensorTransformation):
    """d ← d/max(1, RMS(d)/maximum), with RMS(d) = ‖d‖/√n over the n coordinates of a tensor.

    It is `clip_by_norm` with a maximum that grows with the root of the tensor's size; Adafactor has it after its
    scaling.

    Source: N. Shazeer, M. Stern: Adafactor: Adaptive learning rates with sublinear memory cost, 2018, section 6.
    """

    name: ClassVar[str] = "clip_by_rms"
    title: ClassVar[str] = "clipped by RMS"
    reference: ClassVar[str] = "torch.optim.Adafactor"
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"maximum": POSITIVE}

    maximum: Setting = 1.0
    """The greatest root of the mean square."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The smaller direction."""
        del parameter
        size = max(1, math.prod(direction.shape[self.batch_axes :]))
        excess = norm(direction, self.tensor_axes(direction)) / (math.sqrt(size) * self.maximum)
        xp = namespace(excess)
        return direction / in_type_of(xp.maximum(excess, xp.ones_like(excess)), direction), state


def clip_by_rms(maximum: Setting = 1.0) -> ClipByRms:
    """Shrink the direction of each tensor to a root mean square of at most `maximum`; see `ClipByRms`."""
    return ClipByRms(maximum=maximum)


TRANSFORMATION = ClipByRms
