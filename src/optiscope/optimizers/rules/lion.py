"""Lion: the sign of a momentum that leans towards the newest gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Lion(TensorRule):
    """θ ← θ − α(sign(β₁m + (1−β₁)g) + λθ); m ← β₂m + (1−β₂)g.

    Every coordinate moves by α. `Rprop` also uses signs only, but finds a step size for each coordinate.
    """

    name: ClassVar[str] = "lion"
    title: ClassVar[str] = "Lion"
    paper: ClassVar[str] = "X. Chen et al.: Symbolic discovery of optimization algorithms, 2023, algorithm 2"
    reference: ClassVar[str] = "pytorch_optimizer.Lion"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-4
    """α."""
    beta1: Setting = 0.9
    """Weight of the momentum against the newest gradient in the step."""
    beta2: Setting = 0.99
    """Decay of the momentum m."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: θ shrinks by αλθ."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero momentum."""
        return {"step": 0, "momentum": namespace(parameter).zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Lion."""
        del curvature
        before = state["momentum"]
        sign = namespace(parameter).sign(self.beta1 * before + (1 - self.beta1) * gradient)
        m = self.beta2 * before + (1 - self.beta2) * gradient
        update = -self.learning_rate * with_penalty(sign, parameter, self.weight_decay)
        return update, {"step": state["step"] + 1, "momentum": m}


RULE = Lion
