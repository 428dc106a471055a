"""Bohachevsky's first function: a bowl with regular ripples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

A, B = 3 * math.pi, 4 * math.pi
"""Frequencies of the ripples along x and y."""


@dataclass(frozen=True, kw_only=True)
class Bohachevsky(PlanarFunction):
    """x² + 2y² − 0.3 cos 3πx − 0.4 cos 4πy + 0.7."""

    name: ClassVar[str] = "bohachevsky"
    title: ClassVar[str] = "Bohachevsky"
    formula: ClassVar[str] = "x₀² + 2x₁² − 0.3 cos 3πx₀ − 0.4 cos 4πx₁ + 0.7"
    source: ClassVar[str] = (
        "I. O. Bohachevsky, M. E. Johnson and M. L. Stein, Generalized simulated annealing for function optimization, "
        "1986. Usually on [−100, 100]², here on [−2, 2]², where the ripples can be seen. Every term is smallest at "
        "the origin."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.0, 2.0), (-2.0, 2.0))
    first: ClassVar[tuple[float, float]] = (-1.7, 1.6)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = x * x + 2 * y * y + 0.3 * (1 - np.cos(A * x)) + 0.4 * (1 - np.cos(B * y))
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        return 2 * x + 0.3 * A * np.sin(A * x), 4 * y + 0.4 * B * np.sin(B * y)

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        return 2 + 0.3 * A**2 * np.cos(A * x), 0.0, 4 + 0.4 * B**2 * np.cos(B * y)


FUNCTION = Bohachevsky
