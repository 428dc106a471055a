"""The six-hump camel: six minima, two of them global."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class SixHumpCamel(PlanarFunction):
    """(4 − 2.1x² + x⁴/3) x² + xy + (4y² − 4) y²."""

    name: ClassVar[str] = "six_hump_camel"
    title: ClassVar[str] = "Six-hump camel"
    formula: ClassVar[str] = "(4 − 2.1x₀² + x₀⁴/3) x₀² + x₀x₁ + (4x₁² − 4) x₁²"
    source: ClassVar[str] = (
        "F. H. Branin, 1972; L. C. W. Dixon and G. P. Szegő, The global optimization problem: an introduction, 1978. "
        "The two minima are opposite each other; by Newton's method with 40 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-3.0, 3.0), (-2.0, 2.0))
    first: ClassVar[tuple[float, float]] = (-2.5, 1.5)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = (
        (0.08984201310031806242, -0.7126564030207396334),
        (-0.08984201310031806242, 0.7126564030207396334),
    )
    minimum: ClassVar[float] = -1.031628453489877350

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        xx, yy = x * x, y * y
        value: Values = xx * (4 - xx * (2.1 - xx / 3)) + x * y + yy * (4 * yy - 4)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        xx, yy = x * x, y * y
        return x * (8 - xx * (8.4 - 2 * xx)) + y, x + y * (16 * yy - 8)

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        xx = x * x
        return 8 - xx * (25.2 - 10 * xx), 1.0, 48 * y * y - 8


FUNCTION = SixHumpCamel
