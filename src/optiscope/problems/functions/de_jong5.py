"""De Jong's fifth function, Shekel's foxholes: 25 sharp holes in a flat plain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

_AXIS = (-32.0, -16.0, 0.0, 16.0, 32.0)
_HOLES = tuple((i + 1, _AXIS[i % 5], _AXIS[i // 5]) for i in range(25))
"""i, aᵢ and bᵢ of each hole."""


class _Total:
    """T = 1/f and its derivatives. Quotients are formed early: the cube of a sixth power is beyond single precision."""

    def __init__(self, x: Values, y: Values) -> None:
        zero = np.zeros_like(x)
        self.value, self.x, self.y, self.xx, self.xy, self.yy = zero + 1 / 500, zero, zero, zero, zero, zero
        for i, a, b in _HOLES:
            u, v = x - a, y - b
            depth = 1 / (i + u**6 + v**6)
            u_part, v_part = 6 * u**5 * depth, 6 * v**5 * depth
            self.value = self.value + depth
            self.x, self.y = self.x - u_part * depth, self.y - v_part * depth
            self.xx = self.xx + (2 * u_part * u_part - 30 * u**4 * depth) * depth
            self.xy = self.xy + 2 * u_part * v_part * depth
            self.yy = self.yy + (2 * v_part * v_part - 30 * v**4 * depth) * depth


@dataclass(frozen=True, kw_only=True)
class DeJong5(PlanarFunction):
    """1 / (1/500 + Σᵢ 1 / (i + (x − aᵢ)⁶ + (y − bᵢ)⁶)), with (aᵢ, bᵢ) on a grid of five by five points.

    Between the holes it is flat: almost nothing can be learned from gradients there.
    """

    name: ClassVar[str] = "de_jong5"
    title: ClassVar[str] = "De Jong N. 5"
    formula: ClassVar[str] = "1 / (1/500 + Σᵢ 1 / (i + (x₀ − aᵢ)⁶ + (x₁ − bᵢ)⁶)), i = 1 … 25"
    source: ClassVar[str] = (
        "K. A. De Jong, An analysis of the behavior of a class of genetic adaptive systems, 1975, after J. Shekel, "
        "1971. The minimum by Newton's method with 30 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-65.536, 65.536), (-65.536, 65.536))
    first: ClassVar[tuple[float, float]] = (-24.0, -20.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((-31.978334835656970202, -31.978334837300795003),)
    minimum: ClassVar[float] = 0.99800383779445025803

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = 1 / _Total(x, y).value
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        total = _Total(x, y)
        square = total.value * total.value
        return -total.x / square, -total.y / square

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        t = _Total(x, y)
        f = 1 / t.value
        return (
            f * f * (2 * f * t.x * t.x - t.xx),
            f * f * (2 * f * t.x * t.y - t.xy),
            f * f * (2 * f * t.y * t.y - t.yy),
        )


FUNCTION = DeJong5
