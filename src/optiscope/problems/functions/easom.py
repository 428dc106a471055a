"""Easom's function: a needle in a plain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _factor(x: Values) -> tuple[Values, Values, Values]:
    """cos x · exp(−(x − π)²) and its first two derivatives; minus the value is 1 at π."""
    away = x - math.pi
    bell, sine, cosine = np.exp(-away * away), np.sin(x), np.cos(x)
    return (
        bell * cosine,
        -bell * (sine + 2 * away * cosine),
        bell * (4 * away * sine + (4 * away * away - 3) * cosine),
    )


@dataclass(frozen=True, kw_only=True)
class Easom(PlanarFunction):
    """−cos x · cos y · exp(−(x − π)² − (y − π)²): flat but for one narrow well at (π, π).

    Usually on [−100, 100]²; here on [−10, 10]², where the well can be seen and most gradients are not yet so small that
    floating point takes them for zero.
    """

    name: ClassVar[str] = "easom"
    title: ClassVar[str] = "Easom"
    formula: ClassVar[str] = "−cos x₀ · cos x₁ · exp(−(x₀ − π)² − (x₁ − π)²)"
    source: ClassVar[str] = (
        "E. E. Easom, A survey of global optimization techniques, 1990. Each factor is at most 1 in magnitude, and "
        "all are 1 only at (π, π)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (1.8, 4.2)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((math.pi, math.pi),)
    minimum: ClassVar[float] = -1.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = -_factor(x)[0] * _factor(y)[0]
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        (a, da, _), (b, db, _) = _factor(x), _factor(y)
        return -da * b, -a * db

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        (a, da, dda), (b, db, ddb) = _factor(x), _factor(y)
        return -dda * b, -da * db, -a * ddb


FUNCTION = Easom
