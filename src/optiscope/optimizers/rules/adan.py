"""Adan: Adam with Nesterov’s look-ahead made from the change of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range


@dataclass(frozen=True, kw_only=True, eq=False)
class Adan(TensorRule):
    """m ← β₁m + (1−β₁)g; d ← β₂d + (1−β₂)δ; n ← β₃n + (1−β₃)(g + β₂δ)²; θ ← (θ − α(m̂ + β₂d̂)/(√n̂ + ε))/(1 + αλ).

    δ = g − g′ is the change since the gradient before; hats divide by 1−βᵗ. `NAdam` looks ahead by the momentum, this
    by the change of the gradient.
    """

    name: ClassVar[str] = "adan"
    title: ClassVar[str] = "Adan"
    paper: ClassVar[str] = (
        "X. Xie, P. Zhou, H. Li, Z. Lin, S. Yan: Adan: Adaptive Nesterov momentum algorithm for faster "
        "optimizing deep models, 2022, algorithm 1"
    )
    reference: ClassVar[str] = "pytorch_optimizer.Adan"
    search: ClassVar[Mapping[str, Range]] = {
        "learning_rate": LEARNING_RATE,
        "beta1": MOMENTUM,
        "beta2": MOMENTUM,
        "beta3": DECAY,
    }
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.98
    """Decay of the momentum m."""
    beta2: Setting = 0.92
    """Decay of the change d."""
    beta3: Setting = 0.99
    """Decay of the second moment n."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: θ is divided by 1 + αλ after the step."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments. The first gradient counts as unchanged."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "change": zeros, "second_moment": zeros, "previous_gradient": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Adan."""
        del curvature
        step = state["step"] + 1
        change = gradient - state["previous_gradient"] if step > 1 else 0 * gradient
        ahead = gradient + self.beta2 * change
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * gradient
        d = self.beta2 * state["change"] + (1 - self.beta2) * change
        n = self.beta3 * state["second_moment"] + (1 - self.beta3) * (ahead * ahead)
        after = {"step": step, "momentum": m, "change": d, "second_moment": n, "previous_gradient": gradient}
        direction = m / (1 - self.beta1**step) + self.beta2 / (1 - self.beta2**step) * d
        # θ′ = (θ + Δ)/(1 + αλ), and so θ′ − θ = (Δ − αλθ)/(1 + αλ).
        shrink = self.learning_rate * self.weight_decay
        update = -self.effective_rate_tensor(after, parameter) * direction
        return (update - shrink * parameter) / (1 + shrink), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√n̂ + ε)."""
        correction = (1 - self.beta3 ** state["step"]) ** 0.5
        root = namespace(parameter).sqrt(state["second_moment"])
        return self.learning_rate * correction / (root + self.epsilon * correction)


RULE = Adan
