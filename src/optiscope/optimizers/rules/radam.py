"""RAdam: Adam that waits with its adaptive rates until their variance is small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import TensorState
from optiscope.optimizers.two_moments import TwoMoments


@dataclass(frozen=True, kw_only=True, eq=False)
class RAdam(TwoMoments):
    """θ ← θ − α r √(1−β₂ᵗ) m̂/(√v + ε) once ρₜ > 5, and θ ← θ − α m̂ before, with m, v and m̂ as in `Adam`.

    ρₜ = ρ − 2tβ₂ᵗ/(1−β₂ᵗ) is about the number of gradients in v, ρ = 2/(1−β₂) − 1 its limit, and the rectification is
    r = √((ρₜ−4)(ρₜ−2)ρ / ((ρ−4)(ρ−2)ρₜ)). It acts like a warm-up of the learning rate.
    """

    name: ClassVar[str] = "radam"
    title: ClassVar[str] = "RAdam"
    paper: ClassVar[str] = (
        "L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han: On the variance of the adaptive learning "
        "rate and beyond, 2020, algorithm 2"
    )
    reference: ClassVar[str] = "torch.optim.RAdam"

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α r √(1−β₂ᵗ)/(√v + ε), or α while the rates are not adaptive."""
        step = state["step"]
        correction = 1 - self.beta2**step
        limit = 2 / (1 - self.beta2) - 1
        length = limit - 2 * step * self.beta2**step / correction
        # Each row of a batch may have its own β₂: a number that is 1 or 0 takes the place of a condition.
        trusted = (length > 5) * 1.0
        above = trusted * (length - 4) * (length - 2) * limit
        below = trusted * (limit - 4) * (limit - 2) * length + (1 - trusted)
        adaptive = (above / below * correction) ** 0.5 / (
            namespace(parameter).sqrt(state["second_moment"]) + self.epsilon
        )
        return self.learning_rate * (adaptive + (1 - trusted))


RULE = RAdam
