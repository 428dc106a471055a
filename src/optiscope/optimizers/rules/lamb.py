"""LAMB: Adam’s direction, with a step in proportion to the size of each tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.norms import norm
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class LAMB(TensorRule):
    """u = m̂/(√v̂ + ε) + λθ; θ ← θ − α u ‖θ‖/‖u‖, with m̂ and v̂ as in `Adam`; the ratio is 1 where a norm is zero.

    The norms are over one tensor; in a race they are over the whole point. `LARS` does the same to plain momentum.
    """

    name: ClassVar[str] = "lamb"
    title: ClassVar[str] = "LAMB"
    paper: ClassVar[str] = (
        "Y. You et al.: Large batch optimization for deep learning: Training BERT in 76 minutes, 2020, algorithm 2"
    )
    reference: ClassVar[str] = "pytorch_optimizer.Lamb without bias correction, and the paper with it"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "rowwise"

    learning_rate: Setting = 1e-3
    """α."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-6
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: λθ is added to Adam’s direction before its norm is taken."""
    bias_correction: bool = True
    """Whether m and v are divided by 1−βᵗ, as in the paper; several implementations leave it out."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "momentum": zeros, "second_moment": zeros, "trust_ratio": 1.0}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of LAMB."""
        del curvature
        xp = namespace(parameter)
        step = state["step"] + 1
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * gradient
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (gradient * gradient)
        direction = m / self._corrections(step)[0] / self._root(v, step)
        direction = with_penalty(direction, parameter, self.weight_decay)
        axes = self.tensor_axes(parameter)
        size, length = norm(parameter, axes), norm(direction, axes)
        usable = (size > 0) & (length > 0)
        one = xp.ones_like(length)
        ratio = xp.where(usable, size / xp.where(usable, length, one), one)
        after = {"step": step, "momentum": m, "second_moment": v, "trust_ratio": ratio}
        return in_type_of(-self.learning_rate * ratio * at_least_single(direction), parameter), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α ‖θ‖/‖u‖/(√v̂ + ε)."""
        root = at_least_single(self._root(state["second_moment"], state["step"]))
        return in_type_of(self.learning_rate * state["trust_ratio"] / root, parameter)

    def _root(self, second_moment: Array, step: int) -> Array:
        return namespace(second_moment).sqrt(second_moment) / self._corrections(step)[1] ** 0.5 + self.epsilon

    def _corrections(self, step: int) -> tuple[Setting, Setting]:
        return (1 - self.beta1**step, 1 - self.beta2**step) if self.bias_correction else (1.0, 1.0)


RULE = LAMB
