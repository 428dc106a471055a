"""The average of a Schedule-Free rule, which takes the place of a falling learning rate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import NOT_NEGATIVE, Choice, Limit, at_least
from optiscope.optimizers.rule import Setting, TensorRule, TensorState
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True, eq=False)
class ScheduleFree(TensorRule):
    """z ← z − αₜ d; x ← (1−c)x + c z with c = wₜ / Σw; y = (1−β)z + βx, with a direction d from the gradient at y.

    The parameters that are trained are y; those to judge and to keep are the average x, see `evaluation_tensor`.
    A subclass says what β is and what the direction is. β is above 0, also where it follows a schedule: x is found from
    y and z by the β of the last step, which the state keeps, so a changing β leaves x as it is.

    Source: A. Defazio et al.: The road less scheduled, 2024, equations 3 to 5 and algorithm 1.
    """

    limits: ClassVar[Mapping[str, Limit | Choice]] = {
        "averaging_power": NOT_NEGATIVE,
        "averaging_rate_power": NOT_NEGATIVE,
        "warm_up": at_least(0),
    }

    averaging_power: Setting = 0.0
    """r in the weight wₜ = tʳ · (largest αₜ so far)ᵏ of step t in the average."""
    averaging_rate_power: Setting = 2.0
    """k in that weight: with warm-up, early steps count less."""
    warm_up: int = 0
    """Number of steps over which αₜ grows in proportion to t up to α."""
    weight_decay: Setting = 0.0
    """λ: λy is added to the direction, after any adaptive scaling."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refuse_zero()

    @property
    @abstractmethod
    def _interpolation(self) -> Setting:
        """β."""

    @abstractmethod
    def _direction(self, gradient: Array, state: TensorState) -> tuple[Array, TensorState]:
        """The direction d, and what is remembered for it; "step" of the state is the number of this step."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """x = y = z."""
        return {"step": 0, "fast": parameter + 0, "weights": 0.0, "largest_rate": 0.0, "interpolation": 1.0}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of y."""
        del curvature
        if isinstance(self._interpolation, int | float):
            # A schedule may have come to it.
            self._refuse_zero()
        step = state["step"] + 1
        direction, after = self._direction(gradient, {**state, "step": step})
        direction = direction + self.weight_decay * parameter
        rate = self._rate(step)
        largest = _larger(rate, state["largest_rate"])
        weight = step**self.averaging_power * largest**self.averaging_rate_power
        weights = state["weights"] + weight
        # A schedule may begin at a rate of zero; nothing has been weighed then.
        share = weight / (weights + (weights == 0))
        now = self._interpolation
        # y comes nearer to z by what x does, and by what β has changed since the step before.
        nearer = share
        if step > 1:
            nearer = share + (1 - now / state["interpolation"]) * (1 - share)
        update = nearer * (state["fast"] - parameter) - rate * (1 - now * (1 - share)) * direction
        fast = state["fast"] - rate * direction
        more = {"fast": fast, "weights": weights, "largest_rate": largest, "interpolation": now}
        return update, {**after, **more}

    def evaluation_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The average x = y + (1 − 1/β)(z − y), with the β of the step that led here."""
        if state["step"] == 0:
            # All three are at the start.
            return parameter
        return parameter + (1 - 1 / state["interpolation"]) * (state["fast"] - parameter)

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """z, and the second moment where there is one."""
        return {name: state[0][name] for name in ("fast", "second_moment") if state and name in state[0]}

    def _refuse_zero(self) -> None:
        beta = self._interpolation
        if not isinstance(beta, Schedule) and np.any(np.asarray(beta) == 0):
            raise ArgumentError(
                f"β of {self.name} is above 0: at 0 the parameters say nothing about the average. Received: {beta!r}."
            )

    def _rate(self, step: int) -> Setting:
        """αₜ."""
        return self.settings["learning_rate"] * min(1.0, step / max(self.warm_up, 1))


def _larger(one: Setting, other: Setting) -> Setting:
    """The larger of two numbers, or of each row's."""
    if getattr(one, "ndim", 0) == 0 and getattr(other, "ndim", 0) == 0:
        return max(one, other)
    return namespace(one if getattr(one, "ndim", 0) > 0 else other).where(one > other, one, other)
