"""Booth's function: a tilted quadratic bowl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class Booth(PlanarFunction):
    """(x + 2y − 7)² + (2x + y − 5)²: a quadratic with condition number 9."""

    name: ClassVar[str] = "booth"
    title: ClassVar[str] = "Booth"
    formula: ClassVar[str] = "(x₀ + 2x₁ − 7)² + (2x₀ + x₁ − 5)²"
    source: ClassVar[str] = (
        "A. D. Booth, Numerical Methods, 1957 (as collected by M. Jamil and X.-S. Yang, A literature survey of "
        "benchmark functions, 2013). A sum of squares, zero only at (1, 3)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (-8.0, 6.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((1.0, 3.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 10 * x + 8 * y - 34, 8 * x + 10 * y - 38

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 10.0, 8.0, 10.0


FUNCTION = Booth
