"""Functions of exactly one coordinate, written as formulas of x."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.problems.functions.separable import SeparableFunction


class OneCoordinateFunction(SeparableFunction):
    """f(x). A subclass states four facts and writes f, f′ and f″ for arrays of x, as a sum of a single term."""

    dimension: ClassVar[int] = 1
    """1."""
    domain: ClassVar[tuple[float, float]]
    """Lower and upper end."""
    first: ClassVar[float]
    """The customary start."""
    minimum_point: ClassVar[float]
    """The only global minimum point in the domain."""
    minimum: ClassVar[float]
    """The smallest value in the domain."""

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the customary domain."""
        return np.array([self.domain])

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """The customary start."""
        return np.array([self.first])

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The global minimum point."""
        return np.array([[self.minimum_point]])
