"""NAdam: Adam with Nesterov’s look-ahead in its momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class NAdam(TensorRule):
    """θ ← θ − α (μₜ₊₁ m/(1−Πμᵢ₊₁) + (1−μₜ) g/(1−Πμᵢ))/(√v̂ + ε), with μₜ = β₁(1 − ½·0.96^(tψ)), m and v as in `Adam`.

    The products run over all steps so far. `Nesterov` does the same to plain momentum.
    """

    name: ClassVar[str] = "nadam"
    title: ClassVar[str] = "NAdam"
    paper: ClassVar[str] = "T. Dozat: Incorporating Nesterov momentum into Adam, 2016"
    reference: ClassVar[str] = "torch.optim.NAdam"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 2e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    momentum_decay: Setting = 4e-3
    """ψ: how fast μ grows from β₁/2 to β₁."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments; an empty product of μ."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "second_moment": zeros, "momentum_product": 1.0}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of NAdam."""
        del curvature
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (g * g)
        now, ahead = self._momentum_at(step), self._momentum_at(step + 1)
        product = state["momentum_product"] * now
        after = {"step": step, "momentum": m, "second_moment": v, "momentum_product": product}
        direction = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * m
        return -self.effective_rate_tensor(after, parameter) * direction, after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√v̂ + ε)."""
        correction = (1 - self.beta2 ** state["step"]) ** 0.5
        root = namespace(parameter).sqrt(state["second_moment"])
        return self.learning_rate * correction / (root + self.epsilon * correction)

    def _momentum_at(self, step: int) -> Setting:
        return self.beta1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay))


RULE = NAdam
