"""Gradient descent: against the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientDescent(TensorRule):
    """θ ← θ − αg.

    Batch, mini-batch and stochastic descent are all this rule: they differ only in how many samples make g.
    """

    name: ClassVar[str] = "sgd"
    title: ClassVar[str] = "Gradient descent"
    paper: ClassVar[str] = "A. Cauchy: Méthode générale pour la résolution des systèmes d’équations simultanées, 1847"
    reference: ClassVar[str] = "torch.optim.SGD"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Nothing but the count of steps."""
        del parameter
        return {"step": 0}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of gradient descent."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        return -self.learning_rate * g, {"step": state["step"] + 1}


RULE = GradientDescent
