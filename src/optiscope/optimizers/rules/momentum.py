"""Momentum as the frameworks write it: the learning rate is outside the running sum of gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Momentum(TensorRule):
    """v ← μv + (1−d)g, at the first step v ← g; θ ← θ − αv. Form B.

    `ClassicalMomentum` has the learning rate inside v: the two are the same while α is constant. When a schedule
    changes α, this form applies the new α to all of the past at once.
    """

    name: ClassVar[str] = "momentum"
    title: ClassVar[str] = "Momentum"
    paper: ClassVar[str] = "B. T. Polyak: Some methods of speeding up the convergence of iteration methods, 1964"
    reference: ClassVar[str] = "torch.optim.SGD(momentum=…)"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    momentum: Setting = 0.9
    """μ."""
    dampening: Setting = 0.0
    """d: the share of each new gradient that is left out, after the first step."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """At rest."""
        return {"step": 0, "momentum": namespace(parameter).zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of momentum."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        v = self.momentum * state["momentum"] + (1 - self.dampening) * g if state["step"] > 0 else g
        return -self.learning_rate * v, {"step": state["step"] + 1, "momentum": v}


RULE = Momentum
