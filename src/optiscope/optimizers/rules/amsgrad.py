"""AMSGrad: Adam whose second moment never shrinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class AMSGrad(TensorRule):
    """m and v as in `Adam`; u ← max(u, v); θ ← θ − α m̂/(√û + ε), with û = u/(1−β₂ᵗ).

    Rare large gradients are not forgotten, which mends a case in which Adam does not converge. The paper has no bias
    correction; this is the framework’s form, which has it.
    """

    name: ClassVar[str] = "amsgrad"
    title: ClassVar[str] = "AMSGrad"
    paper: ClassVar[str] = "S. J. Reddi, S. Kale, S. Kumar: On the convergence of Adam and beyond, 2018, algorithm 2"
    reference: ClassVar[str] = "torch.optim.Adam(amsgrad=True)"
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
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "second_moment": zeros, "largest_second_moment": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of AMSGrad."""
        del curvature
        xp = namespace(parameter)
        step = state["step"] + 1
        g = with_penalty(gradient, parameter, self.weight_decay)
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (g * g)
        largest = xp.maximum(state["largest_second_moment"], v)
        after = {"step": step, "momentum": m, "second_moment": v, "largest_second_moment": largest}
        return -self.effective_rate_tensor(after, parameter) * (m / (1 - self.beta1**step)), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√û + ε)."""
        correction = (1 - self.beta2 ** state["step"]) ** 0.5
        root = namespace(parameter).sqrt(state["largest_second_moment"])
        return self.learning_rate * correction / (root + self.epsilon * correction)


RULE = AMSGrad
