"""A saddle between two minima: gradient descent that starts near its ridge stays long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class StrictSaddle(PlanarFunction):
    """x² − y² + y⁴/4: a saddle at the origin, with the Hessian's eigenvalues 2 and −2, and minima at (0, ±√2).

    The start is a thousandth off the line y = 0, along which gradient descent would end in the saddle.
    """

    name: ClassVar[str] = "strict_saddle"
    title: ClassVar[str] = "Strict saddle"
    formula: ClassVar[str] = "x₀² − x₁² + x₁⁴/4"
    source: ClassVar[str] = "Made for this package. x² + (y²/2 − 1)² − 1: smallest where both squares vanish."
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-3.0, 3.0), (-3.0, 3.0))
    first: ClassVar[tuple[float, float]] = (2.0, 0.001)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, math.sqrt(2)), (0.0, -math.sqrt(2)))
    minimum: ClassVar[float] = -1.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        square = y * y
        value: Values = x * x - square + square * square / 4
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 2 * x, y * (y * y - 2)

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 2, 0, 3 * y * y - 2


FUNCTION = StrictSaddle
