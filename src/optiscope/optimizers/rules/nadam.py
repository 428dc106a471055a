"""NAdam: Adam with Nesterov’s look-ahead in its momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.limits import NOT_NEGATIVE, Limit
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.two_moments import TwoMoments


@dataclass(frozen=True, kw_only=True, eq=False)
class NAdam(TwoMoments):
    """θ ← θ − α (μₜ₊₁ m/(1−Πμᵢ₊₁) + (1−μₜ) g/(1−Πμᵢ))/(√v̂ + ε), with μₜ = β₁(1 − ½·0.96^(tψ)), m and v as in `Adam`.

    The products run over all steps so far. `Nesterov` does the same to plain momentum.
    """

    name: ClassVar[str] = "nadam"
    title: ClassVar[str] = "NAdam"
    paper: ClassVar[str] = "T. Dozat: Incorporating Nesterov momentum into Adam, 2016"
    reference: ClassVar[str] = "torch.optim.NAdam"
    limits: ClassVar[Mapping[str, Limit]] = {"momentum_decay": NOT_NEGATIVE}

    learning_rate: Setting = 2e-3
    """α."""
    momentum_decay: Setting = 4e-3
    """ψ: how fast μ grows from β₁/2 to β₁."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments; an empty product of μ."""
        return {**super().init_tensor(parameter), "momentum_product": 1.0}

    def sizes(self, g: Array, m: Array, state: TensorState) -> TensorState:
        """v, and the product of μ."""
        product = state["momentum_product"] * self._momentum_at(state["step"] + 1)
        return {**super().sizes(g, m, state), "momentum_product": product}

    def direction(self, g: Array, after: TensorState) -> Array:
        """μₜ₊₁ m/(1−Πμᵢ₊₁) + (1−μₜ) g/(1−Πμᵢ)."""
        step, product = after["step"], after["momentum_product"]
        now, ahead = self._momentum_at(step), self._momentum_at(step + 1)
        return (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * after["momentum"]

    def _momentum_at(self, step: int) -> Setting:
        return self.beta1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay))


RULE = NAdam
