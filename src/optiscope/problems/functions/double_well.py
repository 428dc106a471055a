"""A double well: two equal minima with a hill, in more dimensions a saddle, between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction


@dataclass(frozen=True, kw_only=True)
class DoubleWell(SeparableFunction):
    """(x₀² − 1)² + Σᵢ xᵢ², for i from 1: minima at ±1 along the first axis.

    The potential of physics. With noise on the gradient an optimizer may cross from one well to the other.
    """

    name: ClassVar[str] = "double_well"
    title: ClassVar[str] = "Double well"
    formula: ClassVar[str] = "(x₀² − 1)² + Σᵢ xᵢ², i ≥ 1"
    source: ClassVar[str] = (
        "H. A. Kramers, Brownian motion in a field of force, 1940, and physics since. A sum of squares, zero only at "
        "(±1, 0, …, 0)."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−2, 2] along each coordinate."""
        return np.tile([-2.0, 2.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(0.1, 1.5, 1.5, …): near the top between the wells."""
        return np.append(0.1, np.full(self.dimension - 1, 1.5))

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """(1, 0, …) and (−1, 0, …)."""
        minima = np.zeros((2, self.dimension))
        minima[:, 0] = 1, -1
        return minima

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """(x₀² − 1)², and the squares of the others."""
        result: Points = x * x
        result[..., 0] = (result[..., 0] - 1) ** 2
        return result

    def slopes(self, x: Points) -> Points:
        """The derivatives of the terms."""
        result = 2 * x
        result[..., 0] = 4 * x[..., 0] * (x[..., 0] * x[..., 0] - 1)
        return result

    def curvatures(self, x: Points) -> Points:
        """The second derivatives of the terms."""
        result = np.full_like(x, 2)
        result[..., 0] = 12 * x[..., 0] * x[..., 0] - 4
        return result


FUNCTION = DoubleWell
