"""RMSprop: each coordinate’s rate shrinks with the running size of its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class RMSprop(TensorRule):
    """G ← βG + (1−β)g²; θ ← θ − α g/(√G + ε); with momentum b ← μb + g/(√G + ε); θ ← θ − αb.

    Centred, G − (mean of g)² takes the place of G: the variance. `Adam` corrects the bias of the zero start, and has
    its momentum before the division.
    """

    name: ClassVar[str] = "rmsprop"
    title: ClassVar[str] = "RMSprop"
    paper: ClassVar[str] = (
        "T. Tieleman, G. Hinton: Lecture 6.5, RMSprop, Neural networks for machine learning, 2012; centred: "
        "A. Graves, 2013"
    )
    reference: ClassVar[str] = "torch.optim.RMSprop"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-2
    """α."""
    beta: Setting = 0.99
    """β, the decay of G."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    epsilon_inside: bool = False
    """Whether ε is inside the root, √(G + ε), as in some texts, and not outside, as in the frameworks."""
    momentum: Setting = 0.0
    """μ."""
    centred: bool = False
    """Whether the squared mean of the gradient is taken from G."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros_like = namespace(parameter).zeros_like
        state = {"step": 0, "second_moment": zeros_like(parameter)}
        if self.centred:
            state["mean_gradient"] = zeros_like(parameter)
        if not (isinstance(self.momentum, int | float) and self.momentum == 0):
            state["momentum"] = zeros_like(parameter)
        return state

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of RMSprop."""
        del curvature
        g = with_penalty(gradient, parameter, self.weight_decay)
        after = {
            "step": state["step"] + 1,
            "second_moment": self.beta * state["second_moment"] + (1 - self.beta) * (g * g),
        }
        if self.centred:
            after["mean_gradient"] = self.beta * state["mean_gradient"] + (1 - self.beta) * g
        if "momentum" not in state:
            return -self.effective_rate_tensor(after, parameter) * g, after
        # The learning rate is outside the momentum, as in `Momentum`: a schedule applies to the past too.
        after["momentum"] = self.momentum * state["momentum"] + g / self._size(after)
        return -self.learning_rate * after["momentum"], after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√G + ε)."""
        del parameter
        return self.learning_rate / self._size(state)

    def _size(self, state: TensorState) -> Array:
        xp = namespace(state["second_moment"])
        size = state["second_moment"]
        if self.centred:
            variance = size - state["mean_gradient"] * state["mean_gradient"]
            # Rounding may leave a variance a little below zero.
            size = xp.where(variance < 0, 0 * variance, variance)
        return xp.sqrt(size + self.epsilon) if self.epsilon_inside else xp.sqrt(size) + self.epsilon


RULE = RMSprop
