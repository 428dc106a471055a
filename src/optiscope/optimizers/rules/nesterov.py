"""Nesterov’s accelerated gradient as the frameworks rewrite it, without a look-ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Nesterov(TensorRule):
    """v ← μv + g; θ ← θ − α(g + μv).

    Its θ is the look-ahead point of `NesterovLookahead`: the gradient is taken where the parameters are, and the paths
    of the two are the same after that change of variables, as long as α and μ are constant.
    """

    name: ClassVar[str] = "nesterov"
    title: ClassVar[str] = "Nesterov"
    paper: ClassVar[str] = (
        "I. Sutskever, J. Martens, G. Dahl, G. Hinton: On the importance of initialization and momentum in "
        "deep learning, 2013, section 2"
    )
    reference: ClassVar[str] = "torch.optim.SGD(nesterov=True)"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    momentum: Setting = 0.9
    """μ."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """At rest."""
        return {"step": 0, "momentum": namespace(parameter).zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of the rewritten form."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        v = self.momentum * state["momentum"] + g
        return -self.learning_rate * (g + self.momentum * v), {"step": state["step"] + 1, "momentum": v}


RULE = Nesterov
