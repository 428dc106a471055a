"""Shubert's function: hundreds of minima, eighteen of them global."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

LOWEST = -1.4251284283197609708
"""Where g is −12.8709 and smallest."""
HIGHEST = -0.80032110047197312466
"""Where g is 14.5080 and largest."""


def _factor(x: Values, derivative: int) -> Values:
    """A derivative of g."""
    total = np.zeros_like(x)
    for i in range(1, 6):
        # Each derivative turns the phase by a quarter and multiplies by i + 1.
        total = total + i * (i + 1) ** derivative * np.cos((i + 1) * x + (i + derivative * math.pi / 2))
    return total


@dataclass(frozen=True, kw_only=True)
class Shubert(PlanarFunction):
    """g(x) · g(y) with g(x) = Σ i cos((i + 1) x + i) for i from 1 to 5."""

    name: ClassVar[str] = "shubert"
    title: ClassVar[str] = "Shubert"
    formula: ClassVar[str] = "(Σᵢ i cos((i + 1) x₀ + i)) · (Σᵢ i cos((i + 1) x₁ + i)), i = 1 … 5"
    source: ClassVar[str] = (
        "B. O. Shubert, A sequential method seeking the global maximum of a function, 1972. Where one factor has its "
        "minimum and the other its maximum, by Newton's method with 30 digits; both have the period 2π."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (-3.0, 2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = tuple(
        pair
        for low in (LOWEST - 2 * math.pi, LOWEST, LOWEST + 2 * math.pi)
        for high in (HIGHEST - 2 * math.pi, HIGHEST, HIGHEST + 2 * math.pi)
        for pair in ((low, high), (high, low))
    )
    minimum: ClassVar[float] = -12.870885497725684896 * 14.508007927195033117

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = _factor(x, 0) * _factor(y, 0)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return _factor(x, 1) * _factor(y, 0), _factor(x, 0) * _factor(y, 1)

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return _factor(x, 2) * _factor(y, 0), _factor(x, 1) * _factor(y, 1), _factor(x, 0) * _factor(y, 2)


FUNCTION = Shubert
