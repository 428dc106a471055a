"""AdaDelta: steps as large as the past updates, relative to the past gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, LogUniform, Range
from optiscope.optimizers.weight_decay import with_penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class AdaDelta(TensorRule):
    """G ← βG + (1−β)g²; d = g √(D + ε)/√(G + ε); D ← βD + (1−β)d²; θ ← θ − αd.

    `RMSprop` with the running size of the updates as the learning rate, so that α = 1 has the unit of the parameters.
    """

    name: ClassVar[str] = "adadelta"
    title: ClassVar[str] = "AdaDelta"
    paper: ClassVar[str] = "M. D. Zeiler: ADADELTA: An adaptive learning rate method, 2012, algorithm 1"
    reference: ClassVar[str] = "torch.optim.Adadelta"
    search: ClassVar[Mapping[str, Range]] = {
        "learning_rate": LEARNING_RATE,
        "beta": DECAY,
        "epsilon": LogUniform(1e-8, 1e-2),
    }
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1.0
    """α."""
    beta: Setting = 0.9
    """β, the decay of both running sizes."""
    epsilon: Setting = 1e-6
    """ε, which also sets how large the very first steps are."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λθ is added to the gradient."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero sizes."""
        zeros = namespace(parameter).zeros_like(parameter)
        return {"step": 0, "second_moment": zeros, "squared_updates": zeros, "scale": zeros}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of AdaDelta."""
        del curvature
        sqrt = namespace(parameter).sqrt
        g = with_penalty(gradient, parameter, self.weight_decay)
        size = self.beta * state["second_moment"] + (1 - self.beta) * (g * g)
        scale = sqrt(state["squared_updates"] + self.epsilon) / sqrt(size + self.epsilon)
        direction = scale * g
        squares = self.beta * state["squared_updates"] + (1 - self.beta) * (direction * direction)
        after = {"step": state["step"] + 1, "second_moment": size, "squared_updates": squares, "scale": scale}
        return -self.learning_rate * direction, after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α√(D + ε)/√(G + ε), with D from before the step."""
        del parameter
        return self.learning_rate * state["scale"]


RULE = AdaDelta
