"""The same length for each coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import TensorState
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleBySign(TensorTransformation):
    """d ← sign(d): −1, 0 or 1. What `scale_by_rms` and `scale_by_adam` do when they remember nothing.

    After `scale_by_momentum` it is signSGD with momentum.

    Source: J. Bernstein and others: signSGD: Compressed optimisation for non-convex problems, 2018.
    """

    name: ClassVar[str] = "scale_by_sign"
    title: ClassVar[str] = "sign"
    reference: ClassVar[str] = "torch.sign"

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The sign of each coordinate."""
        del parameter
        return namespace(direction).sign(direction), state


def scale_by_sign() -> ScaleBySign:
    """Replace each coordinate of the direction by its sign; see `ScaleBySign`."""
    return ScaleBySign()


TRANSFORMATION = ScaleBySign
