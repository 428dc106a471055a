"""Schedule-Free SGD: gradient descent that is averaged instead of slowed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.averaging import ScheduleFree
from optiscope.optimizers.rule import Batching, Setting, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range


@dataclass(frozen=True, kw_only=True, eq=False)
class ScheduleFreeSGD(ScheduleFree):
    """z ← z − αₜ g(y); x ← (1−c)x + c z with c = wₜ / Σw; y = (1−β)z + βx.

    The gradient is taken at y, which is trained; the average x is what to judge and to keep. Unlike `Momentum` it needs
    no learning rate that falls to zero to settle in noise. `ScheduleFreeAdamW` divides g by √v̂ + ε.
    """

    name: ClassVar[str] = "schedule_free_sgd"
    title: ClassVar[str] = "Schedule-Free SGD"
    paper: ClassVar[str] = "A. Defazio et al.: The road less scheduled, 2024, equations 3 to 5"
    reference: ClassVar[str] = "pytorch_optimizer.ScheduleFreeSGD"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "elementwise"

    learning_rate: Setting = 1.0
    """α."""
    momentum: Setting = 0.9
    """β, above 0: how near to the average, and how far from z, the gradient is taken."""

    @property
    def _interpolation(self) -> Setting:
        return self.momentum

    def _direction(self, gradient: Array, state: TensorState) -> tuple[Array, TensorState]:
        return gradient, state

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """αₜ, the rate of z."""
        return namespace(parameter).zeros_like(parameter) + self._rate(state["step"])


RULE = ScheduleFreeSGD
