"""Bukin's sixth function: a curved ridge of minima with a kink along its whole floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _root_slopes(height: Values) -> tuple[Values, Values]:
    """The first two derivatives of 100 √|h|, divided by 25."""
    size = np.abs(height)
    first = np.where(size == 0, 0, 2 * np.sign(height) / np.sqrt(size))
    second = np.where(size == 0, 0, -1 / (size * np.sqrt(size)))
    return first.astype(height.dtype), second.astype(height.dtype)


@dataclass(frozen=True, kw_only=True)
class Bukin6(PlanarFunction):
    """100 √|y − x²/100| + |x + 10| / 100: a valley along a parabola, so sharp that its walls are vertical at the floor.

    On the floor, y = x²/100, the slope is infinite on both sides with opposite signs: there the derivatives of the
    root are defined as 0. That of |x + 10| is defined as 0 at −10.
    """

    name: ClassVar[str] = "bukin6"
    title: ClassVar[str] = "Bukin N. 6"
    formula: ClassVar[str] = "100 √|x₁ − x₀²/100| + |x₀ + 10| / 100"
    source: ClassVar[str] = (
        "A. D. Bukin, New minimization strategy for non-smooth functions, 1997. A sum of two terms that are not "
        "negative, zero only at (−10, 1)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-15.0, -5.0), (-3.0, 3.0))
    first: ClassVar[tuple[float, float]] = (-6.0, -1.5)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((-10.0, 1.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = 100 * np.sqrt(np.abs(y - x * x / 100)) + np.abs(x + 10) / 100
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        first, _ = _root_slopes(y - x * x / 100)
        return np.sign(x + 10) / 100 - first * x / 2, 25 * first

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        first, second = _root_slopes(y - x * x / 100)
        return second * x * x / 100 - first / 2, -second * x / 2, 25 * second


FUNCTION = Bukin6
