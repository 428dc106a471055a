"""Sparse gradients: at each step each coordinate is seen only with some probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Int64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points
from optiscope.problems.modifiers.modifier import Modifier
from optiscope.problems.random_stream import draw_for


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseGradients(Modifier):
    """Each coordinate of the gradient is kept with probability p, independently, and is zero otherwise.

    Which ones are kept depends on seed and step alone. Value, gradient, Hessian and minima stay as they are; only
    `stochastic_gradient` is sparse. It is how rare words or features look to an optimizer.
    """

    change: ClassVar[str] = "sparse gradients"

    probability: float = 0.1
    """p, in (0, 1]."""
    unbiased: bool = True
    """Whether what is kept is divided by p, so that the mean is the gradient; rare features are not so scaled."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.probability <= 1:
            raise ArgumentError(
                f"The probability to keep a coordinate is above 0 and at most 1. Received: {self.probability!r}."
            )

    @property
    def depends_on_seed(self) -> bool:
        """Where any coordinate is ever left out, or `base` depends on it."""
        return bool(np.any(np.asarray(self.probability) < 1)) or self.base.depends_on_seed

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """What an optimizer sees of `base`, where it is kept; 0 elsewhere, even if the gradient is not finite there."""
        gradient = self.base.stochastic_gradient(x, step=step, seeds=seeds)
        scaled = gradient / x.dtype.type(self.probability) if self.unbiased else gradient
        sparse: Points = np.where(self.kept(step=step, seeds=seeds), scaled, x.dtype.type(0))
        return sparse

    def kept(self, *, step: int, seeds: Int64[np.ndarray, "*batch"]) -> Bool[np.ndarray, "*batch parameters"]:
        """Which coordinates each seed sees at that step."""
        uniform = draw_for(seeds, lambda generator: generator.random(self.dimension), step=step, stream=self.depth)
        kept: Bool[np.ndarray, "*batch parameters"] = uniform < self.probability
        return kept
