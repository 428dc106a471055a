"""AdaGrad: each coordinate’s rate shrinks with the sum of its squared gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import NOT_NEGATIVE, Limit
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaGrad(TensorRule):
    """G ← G + g²; θ ← θ − αₜ g/(√G + ε), with αₜ = α/(1 + (t−1)η).

    The sum only grows, so the steps only shrink; `RMSprop` forgets old gradients.
    """

    name: ClassVar[str] = "adagrad"
    title: ClassVar[str] = "AdaGrad"
    paper: ClassVar[str] = (
        "J. Duchi, E. Hazan, Y. Singer: Adaptive subgradient methods for online learning and stochastic "
        "optimization, 2011"
    )
    reference: ClassVar[str] = "torch.optim.Adagrad"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE}
    batching: ClassVar[Batching] = "elementwise"
    limits: ClassVar[Mapping[str, Limit]] = {"learning_rate_decay": NOT_NEGATIVE, "initial_accumulator": NOT_NEGATIVE}

    learning_rate: Setting = 1e-2
    """α."""
    learning_rate_decay: Setting = 0.0
    """η."""
    initial_accumulator: Setting = 0.0
    """G before the first step."""
    epsilon: Setting = 1e-10
    """ε, which keeps the division finite."""
    epsilon_inside: bool = False
    """Whether ε is inside the root, √(G + ε), as in some texts, and not outside, as in the frameworks."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """G as set."""
        initial = self.at(0).settings["initial_accumulator"]
        return {"step": 0, "second_moment": namespace(parameter).zeros_like(parameter) + initial}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of AdaGrad."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        after = {"step": state["step"] + 1, "second_moment": state["second_moment"] + g * g}
        return -self.effective_rate_tensor(after, parameter) * g, after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """αₜ/(√G + ε)."""
        sqrt = namespace(parameter).sqrt
        total = state["second_moment"]
        root = sqrt(total + self.epsilon) if self.epsilon_inside else sqrt(total) + self.epsilon
        return self.learning_rate / (1 + (state["step"] - 1) * self.learning_rate_decay) / root


RULE = AdaGrad
