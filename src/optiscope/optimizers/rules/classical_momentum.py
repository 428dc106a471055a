"""Momentum as the papers write it: the learning rate is inside the velocity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassicalMomentum(TensorRule):
    """Δ ← ρΔ − αg; θ ← θ + Δ. Form A.

    `Momentum` has the learning rate outside: the two are the same while α is constant. When a schedule changes α, this
    form keeps the velocity that it has.
    """

    name: ClassVar[str] = "classical_momentum"
    title: ClassVar[str] = "Momentum (form A)"
    paper: ClassVar[str] = (
        "I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and momentum in "
        "deep learning, 2013, equations 1 and 2"
    )
    reference: ClassVar[str] = "torch.optim.SGD(momentum=…), and the paper under a schedule"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    momentum: Setting = 0.9
    """ρ."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """At rest."""
        return {"step": 0, "velocity": namespace(parameter).zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of momentum."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        velocity = self.momentum * state["velocity"] - self.learning_rate * g
        return velocity, {"step": state["step"] + 1, "velocity": velocity}


RULE = ClassicalMomentum
