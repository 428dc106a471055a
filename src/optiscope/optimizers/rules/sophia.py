"""Sophia: the momentum divided by the curvature, and clipped where that is small or negative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, LogUniform, Range
from optiscope.optimizers.settings import EVERY
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Sophia(TensorRule):
    """m ← β₁m + (1−β₁)g; h ← β₂h + (1−β₂)ĥ every k steps; θ ← θ − α(clip(m/max(γh, ε), ±1) + λθ).

    ĥ is an estimate of the Hessian’s diagonal, which the caller gives. Where the curvature is negative or flat the step
    is α sign(m), as in `Lion`; elsewhere it is a damped step of Newton’s method along each coordinate.
    """

    name: ClassVar[str] = "sophia"
    title: ClassVar[str] = "Sophia"
    paper: ClassVar[str] = (
        "H. Liu, Z. Li, D. Hall, P. Liang, T. Ma: Sophia: A scalable stochastic second-order optimizer for "
        "language model pre-training, 2024, algorithm 3"
    )
    reference: ClassVar[str] = "pytorch_optimizer.SophiaH"
    search: ClassVar[Mapping[str, Range]] = {
        "learning_rate": LEARNING_RATE,
        "beta1": MOMENTUM,
        "gamma": LogUniform(1e-3, 1.0),
    }
    batching: ClassVar[Batching] = "elementwise"
    curvature: ClassVar[Literal["none", "diagonal", "full"]] = "diagonal"
    limits: ClassVar[Mapping[str, Limit]] = {"gamma": POSITIVE, "every": EVERY}

    learning_rate: Setting = 1e-2
    """α."""
    beta1: Setting = 0.96
    """Decay of the momentum m."""
    beta2: Setting = 0.99
    """Decay of the curvature h."""
    gamma: Setting = 0.01
    """γ: the larger, the fewer coordinates are clipped. α/γ is the rate relative to Newton’s step."""
    epsilon: Setting = 1e-12
    """ε, which keeps the division finite."""
    every: int = 10
    """k: the curvature of every k-th step is used, that of the first among them."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: θ shrinks by αλθ."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "curvature": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Sophia. Raises `ArgumentError` when the curvature is wanted and missing."""
        h = state["curvature"]
        if state["step"] % self.every == 0:
            if curvature is None:
                raise ArgumentError(
                    f"sophia wants an estimate of the Hessian's diagonal every {self.every} steps, because it "
                    "divides the momentum by it; pass curvature to update. Received: None."
                )
            h = self.beta2 * h + (1 - self.beta2) * curvature
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * gradient
        after = {"step": state["step"] + 1, "momentum": m, "curvature": h}
        direction = namespace(parameter).clip(m / self._stiffness(after), -1, 1)
        return -self.learning_rate * with_penalty(direction, parameter, self.weight_decay), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/max(γh, ε, |m|): below one in the last, the step is clipped."""
        xp = namespace(parameter)
        return self.learning_rate / xp.maximum(self._stiffness(state), xp.abs(state["momentum"]))

    def _stiffness(self, state: TensorState) -> Array:
        xp = namespace(state["curvature"])
        scaled = self.gamma * state["curvature"]
        return xp.maximum(scaled, xp.zeros_like(scaled) + self.epsilon)


RULE = Sophia
