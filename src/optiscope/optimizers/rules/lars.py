"""LARS: momentum whose step is in proportion to the size of each tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.norms import norm
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import MOMENTUM, LogUniform, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class LARS(TensorRule):
    """r = η‖θ‖/(‖g‖ + λ‖θ‖); v ← μv + r(g + λθ); θ ← θ − αv. r = 1 where a norm is zero.

    The norms are over one tensor; in a race they are over the whole point. `LAMB` does the same to Adam’s direction.
    Biases and scales are usually left to another rule; that is the caller’s choice.
    """

    name: ClassVar[str] = "lars"
    title: ClassVar[str] = "LARS"
    paper: ClassVar[str] = (
        "Y. You, I. Gitman, B. Ginsburg: Large batch training of convolutional networks, 2017, algorithm 1"
    )
    reference: ClassVar[str] = "pytorch_optimizer.LARS"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LogUniform(1e-2, 1e3), "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"trust_coefficient": POSITIVE}

    learning_rate: Setting = 1.0
    """α."""
    momentum: Setting = 0.9
    """μ."""
    trust_coefficient: Setting = 1e-3
    """η: the size of a step relative to the size of the tensor."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """At rest."""
        return {"step": 0, "momentum": namespace(parameter).zeros_like(parameter), "trust_ratio": 1.0}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of LARS."""
        del curvature
        xp = namespace(parameter)
        axes = self.tensor_axes(parameter)
        size, steepness = norm(parameter, axes), norm(gradient, axes)
        total = steepness + self.weight_decay * size
        usable = (size > 0) & (total > 0)
        one = xp.ones_like(total)
        ratio = xp.where(usable, self.trust_coefficient * size / xp.where(usable, total, one), one)
        g = at_least_single(with_penalty(gradient, parameter, self.weight_decay))
        v = self.momentum * state["momentum"] + in_type_of(ratio * g, parameter)
        return -self.learning_rate * v, {"step": state["step"] + 1, "momentum": v, "trust_ratio": ratio}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """αr."""
        rate = self.learning_rate * state["trust_ratio"]
        return in_type_of(namespace(parameter).zeros_like(at_least_single(parameter)) + rate, parameter)


RULE = LARS
