"""McCormick's function: a wave on a bowl, with a second, lower one beyond the domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


@dataclass(frozen=True, kw_only=True)
class McCormick(PlanarFunction):
    """sin(x + y) + (x − y)² − 1.5 x + 2.5 y + 1.

    The minimum is that of the domain. Along (−1, −1) the function falls without end, in waves: a path that leaves the
    domain there may find lower values.
    """

    name: ClassVar[str] = "mccormick"
    title: ClassVar[str] = "McCormick"
    formula: ClassVar[str] = "sin(x₀ + x₁) + (x₀ − x₁)² − 1.5 x₀ + 2.5 x₁ + 1"
    source: ClassVar[str] = (
        "G. P. McCormick, Computability of global solutions to factorable nonconvex programs, 1976. The minimum (1/2 "
        "− π/3, −1/2 − π/3), value −√3/2 − π/3, solves cos(x + y) = −1/2, x − y = 1."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-1.5, 4.0), (-3.0, 4.0))
    first: ClassVar[tuple[float, float]] = (3.0, -2.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.5 - math.pi / 3, -0.5 - math.pi / 3),)
    minimum: ClassVar[float] = -math.sqrt(3) / 2 - math.pi / 3

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = np.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        wave, apart = np.cos(x + y), 2 * (x - y)
        return wave + apart - 1.5, wave - apart + 2.5

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        wave = -np.sin(x + y)
        return wave + 2, wave - 2, wave + 2


FUNCTION = McCormick
