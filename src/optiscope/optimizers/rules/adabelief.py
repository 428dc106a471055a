"""AdaBelief: Adam whose rates follow how far the gradient is from what the momentum expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.two_moments import TwoMoments


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaBelief(TwoMoments):
    """m ← β₁m + (1−β₁)g; s ← β₂s + (1−β₂)(g−m)² + ε; θ ← θ − α m̂/(√ŝ + ε), with m̂ = m/(1−β₁ᵗ) and ŝ = s/(1−β₂ᵗ).

    `Adam` has g² where this has (g−m)²: a gradient that is large but steady makes large steps here.
    """

    name: ClassVar[str] = "adabelief"
    title: ClassVar[str] = "AdaBelief"
    paper: ClassVar[str] = (
        "J. Zhuang et al.: AdaBelief optimizer: Adapting stepsizes by the belief in observed gradients, 2020, "
        "algorithm 2"
    )
    reference: ClassVar[str] = "pytorch_optimizer.AdaBelief"

    epsilon: Setting = 1e-16
    """ε, which is added at both places."""

    def sizes(self, g: Array, m: Array, state: TensorState) -> TensorState:
        """The surprise s."""
        surprise = g - m
        s = self.beta2 * state["second_moment"] + (1 - self.beta2) * (surprise * surprise) + self.epsilon
        return {"second_moment": s}


RULE = AdaBelief
