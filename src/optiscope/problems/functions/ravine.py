"""A winding ravine: steep walls, and a floor that falls gently along a sine curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class Ravine(PlanarFunction):
    """x²/50 + 5 (y − sin x)²: the floor is y = sin x.

    Gradient descent bounces between the walls; momentum is carried along the floor and out of its bends.
    """

    name: ClassVar[str] = "ravine"
    title: ClassVar[str] = "Ravine"
    formula: ClassVar[str] = "x₀²/50 + 5 (x₁ − sin x₀)²"
    source: ClassVar[str] = "Made for this package. A sum of squares, zero only at the origin."
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-8.0, 8.0), (-3.0, 3.0))
    first: ClassVar[tuple[float, float]] = (-7.0, 2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = x * x / 50 + 5 * (y - np.sin(x)) ** 2
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        height = 10 * (y - np.sin(x))
        return x / 25 - height * np.cos(x), height

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        sine, cosine = np.sin(x), np.cos(x)
        return 1 / 25 + 10 * cosine * cosine + 10 * (y - sine) * sine, -10 * cosine, 10


FUNCTION = Ravine
