"""The learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, Range
from optiscope.optimizers.transformations.transformation import Scale, TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleByLearningRate(TensorTransformation):
    """d ← α · d. The chain subtracts: no minus sign belongs here."""

    name: ClassVar[str] = "scale_by_learning_rate"
    title: ClassVar[str] = "learning rate"
    reference: ClassVar[str] = "torch.optim.SGD"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE}

    learning_rate: Setting
    """α: a number, or a schedule."""

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction times the learning rate."""
        del parameter
        return self.learning_rate * direction, state

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """α."""
        del state, parameter
        return self.learning_rate


def scale_by_learning_rate(learning_rate: Setting) -> ScaleByLearningRate:
    """Multiply the direction by the learning rate, a number above 0 or a schedule; see `ScaleByLearningRate`."""
    return ScaleByLearningRate(learning_rate=learning_rate)


TRANSFORMATION = ScaleByLearningRate
