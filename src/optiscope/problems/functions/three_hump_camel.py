"""The three-hump camel: three minima on a line, two saddles between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class ThreeHumpCamel(PlanarFunction):
    """2x² − 1.05x⁴ + x⁶/6 + xy + y².

    Usually on [−5, 5]²; here on [−2.5, 2.5]², where all three wells can be seen.
    """

    name: ClassVar[str] = "three_hump_camel"
    title: ClassVar[str] = "Three-hump camel"
    formula: ClassVar[str] = "2x₀² − 1.05x₀⁴ + x₀⁶/6 + x₀x₁ + x₁²"
    source: ClassVar[str] = (
        "F. H. Branin, Widely convergent method for finding multiple solutions of simultaneous nonlinear equations, "
        "1972 (as collected by M. Jamil and X.-S. Yang, 2013). At y = −x/2 it is x² (7/4 − 1.05x² + x⁴/6), whose "
        "bracket has no real root: zero only at the origin."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.5, 2.5), (-2.5, 2.5))
    first: ClassVar[tuple[float, float]] = (-2.2, 2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        square = x * x
        value: Values = square * (2 - square * (1.05 - square / 6)) + x * y + y * y
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        square = x * x
        return x * (4 - square * (4.2 - square)) + y, x + 2 * y

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        square = x * x
        return 4 - square * (12.6 - 5 * square), 1.0, 2.0


FUNCTION = ThreeHumpCamel
