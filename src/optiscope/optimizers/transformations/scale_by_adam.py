"""Adam without its learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.search_space import DECAY, MOMENTUM, Range
from optiscope.optimizers.transformations.transformation import Scale, TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleByAdam(TensorTransformation):
    """m ← β₁m + (1−β₁)d; v ← β₂v + (1−β₂)d²; d ← m̂/(√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).

    `scale_by_rms` has no momentum and does not correct v for its start at zero.
    """

    name: ClassVar[str] = "scale_by_adam"
    title: ClassVar[str] = "Adam"
    reference: ClassVar[str] = "torch.optim.Adam"
    search: ClassVar[Mapping[str, Range]] = {"beta1": MOMENTUM, "beta2": DECAY}

    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    epsilon_inside: bool = False
    """Whether ε is inside the root, √(v̂ + ε)."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        zeros_like = namespace(parameter).zeros_like
        return {"step": 0, "momentum": zeros_like(parameter), "second_moment": zeros_like(parameter)}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The momentum over the root of the second moment."""
        step = state["step"] + 1
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * direction
        v = self.beta2 * state["second_moment"] + (1 - self.beta2) * (direction * direction)
        after = {"step": step, "momentum": m, "second_moment": v}
        return self.scale_tensor(after, parameter) / (1 - self.beta1**step) * m, after

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """1/(√v̂ + ε)."""
        xp = namespace(parameter)
        v_hat = state["second_moment"] / (1 - self.beta2 ** state["step"])
        return 1 / (xp.sqrt(v_hat + self.epsilon) if self.epsilon_inside else xp.sqrt(v_hat) + self.epsilon)


def scale_by_adam(
    *, beta1: Setting = 0.9, beta2: Setting = 0.999, epsilon: Setting = 1e-8, epsilon_inside: bool = False
) -> ScaleByAdam:
    """Divide a running mean of the direction by a running size of each of its coordinates; see `ScaleByAdam`."""
    return ScaleByAdam(beta1=beta1, beta2=beta2, epsilon=epsilon, epsilon_inside=epsilon_inside)


TRANSFORMATION = ScaleByAdam
