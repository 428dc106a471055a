"""A cubic whose origin is a minimum, though it is often called a saddle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class CubicSaddle(PlanarFunction):
    """x² + y² + y³ + xy: a minimum at (0, 0), a saddle at (1/4, −1/2), unbounded below.

    The Hessian at the origin, [[2, 1], [1, 2]], has the eigenvalues 1 and 3: a strict local minimum with value 0. The
    lowest way out leads over the saddle at (1/4, −1/2), with value 1/16; beyond it f falls without end as y → −∞.
    """

    name: ClassVar[str] = "cubic_saddle"
    title: ClassVar[str] = "Cubic saddle"
    formula: ClassVar[str] = "x₀² + x₁² + x₁³ + x₀x₁"
    source: ClassVar[str] = (
        "Drawn in teaching texts on optimizers, without a named author. What is said of it here was derived for this "
        "package: 2x + y = 0 and 2y + 3y² + x = 0 at the critical points; f = ¾y² + y³ along x = −y/2, without end."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-3.0, 3.0), (-3.0, 3.0))
    first: ClassVar[tuple[float, float]] = (2.0, 3.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ()
    minimum: ClassVar[float] = -math.inf

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = x * x + y * y + y * y * y + x * y
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 2 * x + y, 2 * y + 3 * y * y + x

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 2.0, 1.0, 2 + 6 * y


FUNCTION = CubicSaddle
