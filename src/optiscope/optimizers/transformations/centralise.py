"""Takes the mean out of the direction of each output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, TensorState
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class Centralise(TensorTransformation):
    """d ← d − mean(d) over all axes of a tensor but the first, that of the outputs. Vectors stay as they are.

    A race on a function has a single vector, so it changes nothing there unless `vectors` is set.

    Source: H. Yong and others: Gradient centralization: A new optimization technique for deep neural networks, 2020.
    """

    name: ClassVar[str] = "centralise"
    title: ClassVar[str] = "centralised"
    reference: ClassVar[str] = "pytorch_optimizer.centralize_gradient"
    batching: ClassVar[Batching] = "rowwise"

    vectors: bool = False
    """Whether the mean is taken out of vectors too."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction without its mean."""
        del parameter
        axes = self.tensor_axes(direction)
        if len(axes) > 1:
            axes = axes[1:]
        elif not (self.vectors and axes):
            return direction, state
        mean = namespace(direction).mean(at_least_single(direction), axis=axes, keepdims=True)
        return direction - in_type_of(mean, direction), state


def centralise(*, vectors: bool = False) -> Centralise:
    """Subtract from each output's direction its mean; see `Centralise`."""
    return Centralise(vectors=vectors)


TRANSFORMATION = Centralise
