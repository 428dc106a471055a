"""A cliff: a gentle slope that ends in a wall, where one gradient undoes what many steps did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _upper(x: Values) -> tuple[Values, Values]:
    """How much of the height is left at x, and how much is lost: two numbers that add up to 1, each to all digits."""
    return 1 / (1 + np.exp(20 * x)), 1 / (1 + np.exp(-20 * x))


@dataclass(frozen=True, kw_only=True)
class Cliff(PlanarFunction):
    """((x − 1)² + y²) / 10 + 4 / (1 + exp 20x): a drop of 4 within a fifth of a unit around x = 0.

    A step that meets the wall is flung far beyond the minimum unless the gradient is clipped or normalised.
    """

    name: ClassVar[str] = "cliff"
    title: ClassVar[str] = "Cliff"
    formula: ClassVar[str] = "((x₀ − 1)² + x₁²) / 10 + 4 / (1 + exp 20x₀)"
    source: ClassVar[str] = (
        "Made for this package, after the cliffs of recurrent networks in R. Pascanu, T. Mikolov and Y. Bengio, On the "
        "difficulty of training recurrent neural networks, 2013. The minimum by Newton's method with 40 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-4.0, 6.0), (-3.0, 3.0))
    first: ClassVar[tuple[float, float]] = (-3.0, 2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((1.0000008244478511795, 0.0),)
    minimum: ClassVar[float] = 8.2445465002140987945e-9

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = ((x - 1) ** 2 + y * y) / 10 + 4 * _upper(x)[0]
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        left, lost = _upper(x)
        return (x - 1) / 5 - 80 * left * lost, y / 5

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        left, lost = _upper(x)
        return 1 / 5 + 1600 * left * lost * (lost - left), 0, 1 / 5


FUNCTION = Cliff
