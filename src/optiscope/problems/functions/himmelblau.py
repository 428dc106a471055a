"""Himmelblau's function: four minima of equal depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class Himmelblau(PlanarFunction):
    """(x² + y − 11)² + (x + y² − 7)²."""

    name: ClassVar[str] = "himmelblau"
    title: ClassVar[str] = "Himmelblau"
    formula: ClassVar[str] = "(x₀² + x₁ − 11)² + (x₀ + x₁² − 7)²"
    source: ClassVar[str] = (
        "D. M. Himmelblau, Applied Nonlinear Programming, 1972. A sum of squares, zero at the four real solutions of "
        "x² + y = 11, x + y² = 7: (3, 2), and three by Newton's method with 40 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-6.0, 6.0), (-6.0, 6.0))
    first: ClassVar[tuple[float, float]] = (0.0, 0.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = (
        (3.0, 2.0),
        (-2.805118086952744853, 3.131312518250572966),
        (-3.779310253377746892, -3.283185991286169412),
        (3.584428340330491745, -1.848126526964403554),
    )
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        first, second = x * x + y - 11, x + y * y - 7
        return 4 * x * first + 2 * second, 2 * first + 4 * y * second

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 12 * x * x + 4 * y - 42, 4 * (x + y), 12 * y * y + 4 * x - 26


FUNCTION = Himmelblau
