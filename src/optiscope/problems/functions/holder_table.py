"""The Hölder table: many wells, the deepest at the four corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


class _Exponent:
    """p = |1 − r/π| and its derivatives."""

    def __init__(self, x: Values, y: Values) -> None:
        radius = np.hypot(x, y)
        unit = np.where(radius == 0, 1, radius)
        inner = np.sign(1 - radius / np.pi) / np.pi
        cube = unit * unit * unit
        self.value = np.abs(1 - radius / np.pi)
        self.x, self.y = -inner * x / unit, -inner * y / unit
        self.xx, self.xy, self.yy = -inner * y * y / cube, inner * x * y / cube, -inner * x * x / cube


@dataclass(frozen=True, kw_only=True)
class HolderTable(PlanarFunction):
    """−|sin x · cos y · exp |1 − r/π|| with r = √(x² + y²).

    Where sin x or cos y is zero and where r = π there are kinks; the derivatives of what is within those bars are
    defined as 0 there.
    """

    name: ClassVar[str] = "holder_table"
    title: ClassVar[str] = "Hölder table"
    formula: ClassVar[str] = "−|sin x₀ · cos x₁ · exp |1 − r/π||, r = √(x₀² + x₁²)"
    source: ClassVar[str] = (
        "S. K. Mishra, Some new test functions for global optimization and performance of repulsive particle swarm "
        "method, 2006. The minima by Newton's method with 30 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (6.5, 8.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = tuple(
        (sx * 8.0550234757365634198, sy * 9.66459001924127289) for sx in (1, -1) for sy in (1, -1)
    )
    minimum: ClassVar[float] = -19.208502567886731832

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = -np.abs(np.sin(x) * np.cos(y)) * np.exp(_Exponent(x, y).value)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        p = _Exponent(x, y)
        sine, cosine = np.sin(x), np.cos(y)
        height = -np.sign(sine * cosine) * np.exp(p.value)
        return height * cosine * (np.cos(x) + sine * p.x), height * sine * (cosine * p.y - np.sin(y))

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        p = _Exponent(x, y)
        sine, cosine, turn_x, turn_y = np.sin(x), np.cos(y), np.cos(x), -np.sin(y)
        height = -np.sign(sine * cosine) * np.exp(p.value)
        product = sine * cosine
        return (
            height * (product * (p.x * p.x + p.xx - 1) + 2 * turn_x * cosine * p.x),
            height * (turn_x * turn_y + turn_x * cosine * p.y + sine * turn_y * p.x + product * (p.x * p.y + p.xy)),
            height * (product * (p.y * p.y + p.yy - 1) + 2 * sine * turn_y * p.y),
        )


FUNCTION = HolderTable
