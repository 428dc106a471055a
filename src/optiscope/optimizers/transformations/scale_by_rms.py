"""RMSprop without its learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import DECAY, Range
from optiscope.optimizers.transformations.transformation import Scale, TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleByRms(TensorTransformation):
    """G ← βG + (1−β)d²; d ← d/(√G + ε).

    Centred: the running mean d̄ is kept too, and G − d̄² takes the place of G. `scale_by_adam` corrects for the start
    at zero and has momentum; `scale_by_factored_rms` keeps less.
    """

    name: ClassVar[str] = "scale_by_rms"
    title: ClassVar[str] = "RMS"
    reference: ClassVar[str] = "torch.optim.RMSprop"
    search: ClassVar[Mapping[str, Range]] = {"beta": DECAY}

    beta: Setting = 0.99
    """β."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    epsilon_inside: bool = False
    """Whether ε is inside the root, √(G + ε)."""
    centred: bool = False
    """Whether the square of the mean is taken off."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"second_moment": zeros, "mean": zeros} if self.centred else {"second_moment": zeros}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction over its running size."""
        after = {"second_moment": self.beta * state["second_moment"] + (1 - self.beta) * (direction * direction)}
        if self.centred:
            after["mean"] = self.beta * state["mean"] + (1 - self.beta) * direction
        return self.scale_tensor(after, parameter) * direction, after

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """1/(√G + ε)."""
        xp = namespace(parameter)
        G = state["second_moment"]
        if self.centred:
            difference = G - state["mean"] * state["mean"]
            # Rounding can take it below zero when the direction does not change.
            G = xp.where(difference < 0, xp.zeros_like(difference), difference)
        return 1 / (xp.sqrt(G + self.epsilon) if self.epsilon_inside else xp.sqrt(G) + self.epsilon)


def scale_by_rms(
    beta: Setting = 0.99, *, epsilon: Setting = 1e-8, epsilon_inside: bool = False, centred: bool = False
) -> ScaleByRms:
    """Divide each coordinate by its running root mean square; see `ScaleByRms`."""
    return ScaleByRms(beta=beta, epsilon=epsilon, epsilon_inside=epsilon_inside, centred=centred)


TRANSFORMATION = ScaleByRms
