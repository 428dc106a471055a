"""Functions that are a mean over samples, which optimizers see a mini-batch at a time."""

from __future__ import annotations

from abc import abstractmethod

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function


class MiniBatchFunction(Function):
    """A mean over samples; `stochastic_gradient` at step k is that of one mini-batch of them."""

    @property
    @abstractmethod
    def batches(self) -> int:
        """Mini-batches in an epoch."""

    @abstractmethod
    def batch_value(self, x: Points, *, step: int, seed: int) -> Values:
        """The loss over the mini-batch that `seed` has at that step: what a training loop would print."""
