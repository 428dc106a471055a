"""Matyas's function: a quadratic trough along the diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class Matyas(PlanarFunction):
    """0.26 (x² + y²) − 0.48 xy: a quadratic with condition number 25 whose trough is the diagonal."""

    name: ClassVar[str] = "matyas"
    title: ClassVar[str] = "Matyas"
    formula: ClassVar[str] = "0.26 (x₀² + x₁²) − 0.48 x₀x₁"
    source: ClassVar[str] = (
        "J. Matyas, Random optimization, 1965 (as collected by M. Jamil and X.-S. Yang, 2013). Positive definite, so "
        "zero only at the origin."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (-9.0, 4.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = 0.26 * (x * x + y * y) - 0.48 * x * y
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 0.52, -0.48, 0.52


FUNCTION = Matyas
