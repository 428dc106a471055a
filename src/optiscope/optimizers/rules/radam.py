"""RAdam: Adam that waits with its adaptive rates until their variance is small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class RAdam(TensorRule):
    """θ ← θ − α r √(1−β₂ᵗ) m̂/(√v + ε) once ρₜ > 5, and θ ← θ − α m̂ before, with m, v and m̂ as in `Adam`.

    ρₜ = ρ − 2tβ₂ᵗ/(1−β₂ᵗ) is about the number of gradients in v, ρ = 2/(1−β₂) − 1 its limit, and the rectification is
    r = √((ρₜ−4)(ρₜ−2)ρ / ((ρ−4)(ρ−2)ρₜ)). It acts like a warm-up of the learning rate.
    """

    name: ClassVar[str] = "radam"
    title: ClassVar[str] = "RAdam"
    paper: ClassVar[str] = (
        "L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han: On the variance of the adaptive learning "
        "rate and beyond, 2020, algorithm 2"
    )
    reference: ClassVar[str] = "torch.optim.RAdam"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros_like = namespace(parameter).zeros_like
        return {"step": 0, "momentum": zeros_like(parameter), "second_moment": zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of RAdam."""
        del curvature
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (g * g)
        after = {"step": step, "momentum": m, "second_moment": v}
        return -self.effective_rate_tensor(after, parameter) * (m / (1 - self.beta1**step)), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α r √(1−β₂ᵗ)/(√v + ε), or α while the rates are not adaptive."""
        step = state["step"]
        correction = 1 - self.beta2**step
        limit = 2 / (1 - self.beta2) - 1
        length = limit - 2 * step * self.beta2**step / correction
        # Each row of a batch may have its own β₂: a number that is 1 or 0 takes the place of a condition.
        trusted = (length > 5) * 1.0
        above = trusted * (length - 4) * (length - 2) * limit
        below = trusted * (limit - 4) * (limit - 2) * length + (1 - trusted)
        adaptive = (above / below * correction) ** 0.5 / (
            namespace(parameter).sqrt(state["second_moment"]) + self.epsilon
        )
        return self.learning_rate * (adaptive + (1 - trusted))


RULE = RAdam
