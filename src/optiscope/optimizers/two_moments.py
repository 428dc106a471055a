"""What the relatives of Adam share: a running mean of the gradient over a running size of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoMoments(TensorRule):
    """m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − α m̂/(√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).

    A subclass changes the size, the rate that is made of it, or the direction. `Adam` itself is written out, for speed.
    """

    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.9
    """β₁, the decay of the momentum m."""
    beta2: Setting = 0.999
    """β₂, the decay of the size of the gradients."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "second_moment": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step."""
        del curvature
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        after = {"step": step, "momentum": m, **self.sizes(g, m, state)}
        return -self.effective_rate_tensor(after, parameter) * self.direction(g, after), after

    def sizes(self, g: Array, m: Array, state: TensorState) -> TensorState:
        """What is remembered of the size of the gradients, with `g` taken in and `m` the new momentum."""
        del m
        return {"second_moment": self.beta2 * state["second_moment"] + (1 - self.beta2) * (g * g)}

    def direction(self, g: Array, after: TensorState) -> Array:
        """m̂."""
        del g
        return after["momentum"] / (1 - self.beta1 ** after["step"])

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√v̂ + ε)."""
        del parameter
        return self.corrected_rate(state["second_moment"], state["step"])

    def corrected_rate(self, size: Array, step: int) -> Array:
        """α/(√(size/(1−β₂ᵗ)) + ε)."""
        correction = (1 - self.beta2**step) ** 0.5
        return self.learning_rate * correction / (namespace(size).sqrt(size) + self.epsilon * correction)
