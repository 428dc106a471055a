"""Branin's function: three equal minima on a curved floor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

B, C, HEIGHT = 5.1 / (4 * math.pi**2), 5 / math.pi, 10 * (1 - 1 / (8 * math.pi))
"""Constants of the formula."""


@dataclass(frozen=True, kw_only=True)
class Branin(PlanarFunction):
    """(y − bx² + cx − 6)² + 10 (1 − t) cos x + 10 with b = 5.1/(4π²), c = 5/π, t = 1/(8π)."""

    name: ClassVar[str] = "branin"
    title: ClassVar[str] = "Branin"
    formula: ClassVar[str] = "(x₁ − 5.1x₀²/(4π²) + 5x₀/π − 6)² + 10 (1 − 1/(8π)) cos x₀ + 10"
    source: ClassVar[str] = (
        "F. H. Branin, 1972; L. C. W. Dixon and G. P. Szegő, 1978. Smallest where the square is zero and cos x = −1: "
        "(−π, 12.275), (π, 2.275) and (3π, 2.475), value 5/(4π)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-5.0, 10.0), (0.0, 15.0))
    first: ClassVar[tuple[float, float]] = (6.0, 12.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = (
        (-math.pi, 12.275),
        (math.pi, 2.275),
        (3 * math.pi, 2.475),
    )
    minimum: ClassVar[float] = 5 / (4 * math.pi)

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = (y - x * (B * x - C) - 6) ** 2 + 10 + HEIGHT * np.cos(x)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        twice = 2 * (y - x * (B * x - C) - 6)
        return twice * (C - 2 * B * x) - HEIGHT * np.sin(x), twice

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        floor, bend = y - x * (B * x - C) - 6, C - 2 * B * x
        return 2 * bend * bend - 4 * B * floor - HEIGHT * np.cos(x), 2 * bend, 2.0


FUNCTION = Branin
