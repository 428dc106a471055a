"""Nesterov’s accelerated gradient with its look-ahead: the gradient is taken where the momentum leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class NesterovLookahead(TensorRule):
    """Δ ← ρΔ − αg(θ + ρΔ); θ ← θ + Δ.

    `Nesterov` follows the point θ + ρΔ instead of θ, and so needs no gradient elsewhere; `ClassicalMomentum` takes the
    gradient at θ.
    """

    name: ClassVar[str] = "nesterov_lookahead"
    title: ClassVar[str] = "Nesterov (look-ahead)"
    paper: ClassVar[str] = (
        "Y. Nesterov: A method for solving the convex programming problem with convergence rate O(1/k²), "
        "1983; as in I. Sutskever et al., 2013, equations 3 and 4"
    )
    reference: ClassVar[str] = "torch.optim.SGD(nesterov=True), after a change of variables"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    momentum: Setting = 0.9
    """ρ."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient, with θ at the look-ahead point."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """At rest."""
        return {"step": 0, "velocity": namespace(parameter).zeros_like(parameter)}

    def probe_tensor(self, state: TensorState, parameter: Array) -> Array:
        """θ + ρΔ."""
        return parameter + self.momentum * state["velocity"]

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step, with the gradient at the look-ahead point."""
        del curvature
        g = with_penalty(gradient, self.probe_tensor(state, parameter), self.weight_decay)
        velocity = self.momentum * state["velocity"] - self.learning_rate * g
        return velocity, {"step": state["step"] + 1, "velocity": velocity}


RULE = NesterovLookahead
