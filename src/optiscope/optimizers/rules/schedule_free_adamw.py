"""Schedule-Free AdamW: Adam whose momentum is an average of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.averaging import ScheduleFree
from optiscope.optimizers.rule import Batching, Setting, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range


@dataclass(frozen=True, kw_only=True, eq=False)
class ScheduleFreeAdamW(ScheduleFree):
    """v ← β₂v + (1−β₂)g²; z ← z − αₜ (g/(√v̂ + ε) + λy); x ← (1−c)x + c z with c = wₜ / Σw; y = (1−β₁)z + β₁x.

    g is the gradient at y, which is trained, and v̂ = v/(1−β₂ᵗ); the average x is what to judge and to keep. Unlike in
    `AdamW`, β₁ mixes points, not gradients, and no schedule is needed. `ScheduleFreeSGD` takes g as it is.
    """

    name: ClassVar[str] = "schedule_free_adamw"
    title: ClassVar[str] = "Schedule-Free AdamW"
    paper: ClassVar[str] = "A. Defazio et al.: The road less scheduled, 2024, algorithm 1"
    reference: ClassVar[str] = "pytorch_optimizer.ScheduleFreeAdamW"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 2.5e-3
    """α."""
    beta1: Setting = 0.9
    """β₁, above 0: how near to the average, and how far from z, the gradient is taken."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""

    @property
    def _interpolation(self) -> Setting:
        return self.beta1

    def init_tensor(self, parameter: Array) -> TensorState:
        """x = y = z, and a zero second moment."""
        return {**super().init_tensor(parameter), "second_moment": namespace(parameter).zeros_like(parameter)}

    def _direction(self, gradient: Array, state: TensorState) -> tuple[Array, TensorState]:
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (gradient * gradient)
        after = {**state, "second_moment": v}
        return gradient / self._root(after), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """αₜ/(√v̂ + ε), the rate of z."""
        del parameter
        return self._rate(state["step"]) / self._root(state)

    def _root(self, state: TensorState) -> Array:
        """√v̂ + ε."""
        v_hat = state["second_moment"] / (1 - self.beta2 ** state["step"])
        return namespace(v_hat).sqrt(v_hat) + self.epsilon


RULE = ScheduleFreeAdamW
