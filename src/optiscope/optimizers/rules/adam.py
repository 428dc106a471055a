"""Adam: momentum over a running size of each coordinate's gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class Adam(TensorRule):
    """m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − α m̂/(√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).

    `AdamW` takes weight decay out of the gradient; `NAdam` adds Nesterov's look-ahead; `AMSGrad` never lets v̂ shrink.
    """

    name: ClassVar[str] = "adam"
    title: ClassVar[str] = "Adam"
    paper: ClassVar[str] = "D. P. Kingma, J. Ba: Adam: A method for stochastic optimization, 2015, algorithm 1"
    reference: ClassVar[str] = "torch.optim.Adam"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    epsilon_inside: bool = False
    """Whether ε is inside the root, √(v̂ + ε), as in some texts, and not outside, as in the paper and frameworks."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros_like = namespace(parameter).zeros_like
        return {"step": 0, "momentum": zeros_like(parameter), "second_moment": zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Adam."""
        del curvature
        return self.moved(with_penalty(gradient, parameter, self.weight_decay), state)

    def moved(self, g: Array, state: TensorState) -> tuple[Array, TensorState]:
        """The step from a gradient that already has what weight decay adds."""
        step = state["step"] + 1
        # What was just made is changed in place, and both corrections are numbers that go into α and ε: arrays are
        # passed over and made as seldom as possible.
        m = self.beta1 * state["momentum"]
        m += (1 - self.beta1) * g
        v = g * g
        v *= 1 - self.beta2
        v += self.beta2 * state["second_moment"]
        update = m / self._root(v, step)
        update *= -self.learning_rate * (1 - self.beta2**step) ** 0.5 / (1 - self.beta1**step)
        return update, {"step": step, "momentum": m, "second_moment": v}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√v̂ + ε)."""
        del parameter
        step = state["step"]
        return self.learning_rate * (1 - self.beta2**step) ** 0.5 / self._root(state["second_moment"], step)

    def _root(self, v: Array, step: int) -> Array:
        """√(1−β₂ᵗ) (√v̂ + ε), or √(1−β₂ᵗ) √(v̂ + ε) with ε inside."""
        sqrt, correction = namespace(v).sqrt, 1 - self.beta2**step
        if self.epsilon_inside:
            return sqrt(v + self.epsilon * correction)
        root = sqrt(v)
        root += self.epsilon * correction**0.5
        return root


RULE = Adam
