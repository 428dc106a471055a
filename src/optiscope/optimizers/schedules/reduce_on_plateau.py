"""Gets smaller when the loss no longer does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int64

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.reactive import Numbers, ReactiveSchedule
from optiscope.optimizers.schedules.requirements import (
    require_choice,
    require_not_negative,
    require_positive,
    require_steps,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlateauState:
    """What the schedule remembers of each row."""

    value: Float[np.ndarray, "*rows"]
    """The number for the next step."""
    best: Float[np.ndarray, "*rows"]
    """The smallest loss that counted as better; inf before the first."""
    bad: Int64[np.ndarray, "*rows"]
    """Steps in a row that were not better."""
    resting: Int64[np.ndarray, "*rows"]
    """Steps of the cooldown that are left."""


@dataclass(frozen=True, kw_only=True)
class ReduceOnPlateau(ReactiveSchedule):
    """value ← max(value · factor, least) once the loss has not been better for more than `patience` steps in a row.

    A loss is better when it is below best · (1 − threshold) ("relative") or best − threshold ("absolute"). A loss that
    is not a number is never better.
    """

    name: ClassVar[str] = "reduce_on_plateau"
    title: ClassVar[str] = "Reduced on a plateau"
    formula: ClassVar[str] = "value ← max(value · factor, least) after patience + 1 steps without a better loss"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.ReduceLROnPlateau"

    value: float
    """The first number."""
    factor: float = 0.1
    """What it is multiplied by on a plateau, below 1."""
    patience: int = 10
    """Steps without a better loss that are borne; the next one reduces."""
    threshold: float = 1e-4
    """How much smaller than the best a loss has to be."""
    comparison: Literal["relative", "absolute"] = "relative"
    """What the threshold is a part of: the best loss, or nothing."""
    cooldown: int = 0
    """Steps after a reduction in which nothing is counted."""
    least: float = 0.0
    """The number never falls below this."""
    smallest_change: float = 1e-8
    """Reductions by no more than this are left out."""

    def __post_init__(self) -> None:
        require_positive(self, "value")
        require_not_negative(self, "factor", "threshold", "least", "smallest_change")
        require_steps(self, "patience", "cooldown", least=0)
        require_choice(self, "comparison", ("relative", "absolute"))
        if self.factor >= 1:
            raise ArgumentError(f"factor of reduce_on_plateau is below 1, to reduce. Received: {self.factor!r}.")

    def start(self, shape: tuple[int, ...] = ()) -> PlateauState:
        """The first number, and nothing seen yet."""
        zero = np.zeros(shape, np.int64)
        return PlateauState(
            value=np.full(shape, float(self.value)), best=np.full(shape, np.inf), bad=zero, resting=zero
        )

    def after(self, loss: Numbers | float, state: PlateauState) -> PlateauState:
        """The state after a step that ended with `loss`."""
        loss = np.asarray(loss, dtype=float)
        wanted = state.best * (1 - self.threshold) if self.comparison == "relative" else state.best - self.threshold
        better: Bool[np.ndarray, "*rows"] = loss < wanted
        bad = np.where(better | (state.resting > 0), 0, state.bad + 1)
        resting = np.maximum(state.resting - 1, 0)
        plateau = bad > self.patience
        reduced = np.maximum(state.value * self.factor, self.least)
        changed = plateau & (state.value - reduced > self.smallest_change)
        return PlateauState(
            value=np.where(changed, reduced, state.value),
            best=np.where(better, loss, state.best),
            bad=np.where(plateau, 0, bad),
            resting=np.where(plateau, self.cooldown, resting),
        )


SCHEDULE = ReduceOnPlateau
