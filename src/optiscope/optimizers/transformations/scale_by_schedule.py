"""A factor that changes with the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.optimizers.transformations.transformation import Scale, TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleBySchedule(TensorTransformation):
    """d ← s(t) · d.

    With a learning rate beside it, the schedule is a factor that begins at 1 and the learning rate can be tuned alone;
    `scale_by_learning_rate(schedule)` has both in one.
    """

    name: ClassVar[str] = "scale_by_schedule"
    title: ClassVar[str] = "schedule"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.LambdaLR"

    factor: Setting
    """s: a schedule."""

    def __post_init__(self) -> None:
        if not isinstance(self.factor, Schedule | ReactiveSchedule):
            raise ArgumentError(
                "scale_by_schedule takes a schedule, such as Cosine(start=1.0, steps=100); for a number there is "
                f"scale_by_learning_rate. Received: {self.factor!r}."
            )
        super().__post_init__()

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction times the number of this step."""
        del parameter
        return self.factor * direction, state

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """s(t)."""
        del state, parameter
        return self.factor


def scale_by_schedule(schedule: Schedule | ReactiveSchedule) -> ScaleBySchedule:
    """Multiply the direction by the number that the schedule gives for the step; see `ScaleBySchedule`."""
    return ScaleBySchedule(factor=schedule)


TRANSFORMATION = ScaleBySchedule
