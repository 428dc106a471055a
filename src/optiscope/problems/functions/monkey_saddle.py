"""The monkey saddle: a degenerate critical point with three valleys, two for the legs and one for the tail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class MonkeySaddle(PlanarFunction):
    """x³ − 3xy²: the gradient and the whole Hessian vanish at the origin; unbounded below.

    Newton's method only halves its distance to such a point at each step.
    """

    name: ClassVar[str] = "monkey_saddle"
    title: ClassVar[str] = "Monkey saddle"
    formula: ClassVar[str] = "x₀³ − 3x₀x₁²"
    source: ClassVar[str] = (
        "D. Hilbert and S. Cohn-Vossen, Anschauliche Geometrie, 1932. The real part of (x + iy)³: unbounded below."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.0, 2.0), (-2.0, 2.0))
    first: ClassVar[tuple[float, float]] = (1.6, 0.1)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ()
    minimum: ClassVar[float] = -math.inf

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = x * (x * x - 3 * y * y)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 3 * (x * x - y * y), -6 * x * y

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 6 * x, -6 * y, -6 * x


FUNCTION = MonkeySaddle
