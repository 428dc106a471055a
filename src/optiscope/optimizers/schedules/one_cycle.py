"""One climb to a high peak, and down to almost nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from optiscope.optimizers.schedules.requirements import (
    require_at_most_one,
    require_choice,
    require_finite,
    require_steps,
)
from optiscope.optimizers.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """From `start` to `peak` in the first part of the steps, and to `end` in the rest.

    Each phase is half a cosine wave or a line. With three phases: up, down to `start` in as many steps, and to `end` in
    what is left.

    Source: L. N. Smith, N. Topin: Super-convergence: very fast training of neural networks using large learning rates,
    2018. The two phases with cosines are those of PyTorch and fastai.
    """

    name: ClassVar[str] = "one_cycle"
    title: ClassVar[str] = "One cycle"
    formula: ClassVar[str] = "start → peak at step part · steps − 1 → end at the last step, by half cosine waves"
    reference: ClassVar[str] = "torch.optim.lr_scheduler.OneCycleLR"

    peak: float
    """The number at the top. It may lie below `start`, for a momentum."""
    steps: int
    """Length of the cycle; after it the number stays at `end`."""
    part: float = 0.3
    """Share of the steps that the climb takes."""
    start: float | None = None
    """The first number; None: peak/25."""
    end: float | None = None
    """The last number; None: start/10⁴."""
    shape: Literal["cosine", "linear"] = "cosine"
    """How each phase goes."""
    three_phases: bool = False
    """Whether it comes down to `start` before it goes to `end`; `part` is then at most one half."""

    def __post_init__(self) -> None:
        require_finite(self, "peak")
        require_steps(self, "steps")
        require_at_most_one(self, "part")
        for name in ("start", "end"):
            if getattr(self, name) is not None:
                require_finite(self, name)
        require_choice(self, "shape", ("cosine", "linear"))

    def __call__(self, step: int) -> float:
        """The number at `step`."""
        start = self.peak / 25 if self.start is None else self.start
        end = start / 1e4 if self.end is None else self.end
        turn, last = self.part * self.steps - 1, self.steps - 1
        numbers: tuple[tuple[float, float, float], ...] = ((turn, start, self.peak), (last, self.peak, end))
        if self.three_phases:
            numbers = ((turn, start, self.peak), (2 * turn, self.peak, start), (last, start, end))
        begin = 0.0
        for finish, low, high in numbers[:-1]:
            if step <= finish:
                return self._between(low, high, begin, finish, step)
            begin = finish
        finish, low, high = numbers[-1]
        return self._between(low, high, begin, finish, min(step, last))

    def momentum(self, *, low: float = 0.85, high: float = 0.95) -> OneCycle:
        """The momentum that goes with this learning rate: `high` at both ends, `low` at its peak."""
        return replace(self, start=high, peak=low, end=high)

    def _between(self, first: float, second: float, begin: float, finish: float, step: int) -> float:
        part = (step - begin) / (finish - begin) if finish > begin else 1.0
        if self.shape == "linear":
            return float(first + (second - first) * part)
        return float(second + (first - second) * (1 + math.cos(math.pi * part)) / 2)


SCHEDULE = OneCycle
