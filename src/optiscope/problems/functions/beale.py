"""Beale's function: a valley bent around steep corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

CONSTANTS = (1.5, 2.25, 2.625)
"""What the residuals begin with."""


@dataclass(frozen=True, kw_only=True)
class Beale(PlanarFunction):
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²."""

    name: ClassVar[str] = "beale"
    title: ClassVar[str] = "Beale"
    formula: ClassVar[str] = "(1.5 − x₀ + x₀x₁)² + (2.25 − x₀ + x₀x₁²)² + (2.625 − x₀ + x₀x₁³)²"
    source: ClassVar[str] = (
        "E. M. L. Beale, On an iterative method for finding a local minimum of a function of more than one variable, "
        "1958. A sum of squares, zero only at (3, 1/2)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-4.5, 4.5), (-4.5, 4.5))
    first: ClassVar[tuple[float, float]] = (-1.5, 2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((3.0, 0.5),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        total: Values = 0.0 * x
        for power, constant in enumerate(CONSTANTS, start=1):
            total = total + (constant - x * (1 - y**power)) ** 2
        return total

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        along_x, along_y = 0.0 * x, 0.0 * x
        for power, constant in enumerate(CONSTANTS, start=1):
            shrink = 1 - y**power
            residual = constant - x * shrink
            along_x = along_x - 2 * residual * shrink
            along_y = along_y + 2 * residual * x * power * y ** (power - 1)
        return along_x, along_y

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        xx, xy, yy = 0.0 * x, 0.0 * x, 0.0 * x
        for power, constant in enumerate(CONSTANTS, start=1):
            shrink, slope = 1 - y**power, power * y ** (power - 1)
            residual = constant - x * shrink
            xx = xx + 2 * shrink * shrink
            xy = xy + 2 * slope * (residual - x * shrink)
            yy = yy + 2 * (x * slope) ** 2 + 2 * residual * x * power * (power - 1) * y ** max(power - 2, 0)
        return xx, xy, yy


FUNCTION = Beale
