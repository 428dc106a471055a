"""Adamax: Adam with the largest recent gradient in place of the root of the second moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Adamax(TensorRule):
    """m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); θ ← θ − α m̂/u, with m̂ = m/(1−β₁ᵗ).

    The limit of `Adam` when v is made of ever higher powers of |g|. u needs no correction of its bias.
    """

    name: ClassVar[str] = "adamax"
    title: ClassVar[str] = "Adamax"
    paper: ClassVar[str] = "D. P. Kingma, J. Ba: Adam: A method for stochastic optimization, 2015, algorithm 2"
    reference: ClassVar[str] = "torch.optim.Adamax"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 2e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the largest gradient u."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "largest_gradient": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Adamax."""
        del curvature
        xp = namespace(parameter)
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        largest = xp.maximum(self.beta2 * state["largest_gradient"], xp.abs(g) + self.epsilon)
        after = {"step": step, "momentum": m, "largest_gradient": largest}
        return -self.effective_rate_tensor(after, parameter) * (m / (1 - self.beta1**step)), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/u."""
        del parameter
        return self.learning_rate / state["largest_gradient"]


RULE = Adamax
