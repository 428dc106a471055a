"""AdaBelief: Adam whose rates follow how far the gradient is from what the momentum expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaBelief(TensorRule):
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
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the surprise s."""
    epsilon: Setting = 1e-16
    """ε, which is added at both places."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros_like = namespace(parameter).zeros_like
        return {"step": 0, "momentum": zeros_like(parameter), "second_moment": zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of AdaBelief."""
        del curvature
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        surprise = g - m
        s = self.beta2 * state["second_moment"] + (1 - self.beta2) * (surprise * surprise) + self.epsilon
        after = {"step": step, "momentum": m, "second_moment": s}
        return -self.effective_rate_tensor(after, parameter) * (m / (1 - self.beta1**step)), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√ŝ + ε)."""
        correction = (1 - self.beta2 ** state["step"]) ** 0.5
        root = namespace(parameter).sqrt(state["second_moment"])
        return self.learning_rate * correction / (root + self.epsilon * correction)


RULE = AdaBelief
