"""Adamax: Adam with the largest recent gradient in place of the root of the second moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.two_moments import TwoMoments


@dataclass(frozen=True, kw_only=True, eq=False)
class Adamax(TwoMoments):
    """m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); θ ← θ − α m̂/u, with m̂ = m/(1−β₁ᵗ).

    The limit of `Adam` when v is made of ever higher powers of |g|. u needs no correction of its bias.
    """

    name: ClassVar[str] = "adamax"
    title: ClassVar[str] = "Adamax"
    paper: ClassVar[str] = "D. P. Kingma, J. Ba: Adam: A method for stochastic optimization, 2015, algorithm 2"
    reference: ClassVar[str] = "torch.optim.Adamax"

    learning_rate: Setting = 2e-3
    """α."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "largest_gradient": zeros}

    def sizes(self, g: Array, m: Array, state: TensorState) -> TensorState:
        """u."""
        del m
        xp = namespace(g)
        return {"largest_gradient": xp.maximum(self.beta2 * state["largest_gradient"], xp.abs(g) + self.epsilon)}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/u."""
        del parameter
        return self.learning_rate / state["largest_gradient"]


RULE = Adamax
