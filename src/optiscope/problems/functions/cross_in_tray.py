"""The cross-in-tray function: four deep wells in a tray that is divided by a sharp cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

WELL = 1.3494066171539107918
"""Distance of the minima from both axes."""


class _Logarithm:
    """ℓ = ln(1 + exp L) with L = ln |sin x| + ln |sin y| + |100 − r/π|, and its derivatives."""

    def __init__(self, x: Values, y: Values) -> None:
        radius = np.hypot(x, y)
        unit = np.where(radius == 0, 1, radius)
        inner = np.sign(100 - radius / np.pi) / np.pi
        sine_x, sine_y = np.sin(x), np.sin(y)
        exponent = np.log(np.abs(sine_x)) + np.log(np.abs(sine_y)) + np.abs(100 - radius / np.pi)
        on_cross = (sine_x == 0) | (sine_y == 0)
        share = 1 / (1 + np.exp(-exponent))
        self.value = np.logaddexp(0, exponent).astype(x.dtype)
        self.share = share
        first_x, first_y = np.cos(x) / sine_x - inner * x / unit, np.cos(y) / sine_y - inner * y / unit
        cube = unit * unit * unit
        self.x, self.y = (np.where(on_cross, 0, share * one) for one in (first_x, first_y))
        rest = share * (1 - share)
        self.xx = np.where(on_cross, 0, rest * first_x**2 - share * (1 / sine_x**2 + inner * y * y / cube))
        self.yy = np.where(on_cross, 0, rest * first_y**2 - share * (1 / sine_y**2 + inner * x * x / cube))
        self.xy = np.where(on_cross, 0, rest * first_x * first_y + share * inner * x * y / cube)


@dataclass(frozen=True, kw_only=True)
class CrossInTray(PlanarFunction):
    """−(|sin x · sin y · exp |100 − r/π|| + 1)^0.1 / 10⁴ with r = √(x² + y²).

    On the cross, where sin x or sin y is zero, and where r = 100π there are kinks; the derivatives of what is within
    the bars are defined as 0 there. It is computed through logarithms: exp 100 is beyond single precision.
    """

    name: ClassVar[str] = "cross_in_tray"
    title: ClassVar[str] = "Cross-in-tray"
    formula: ClassVar[str] = "−(|sin x₀ · sin x₁ · exp |100 − r/π|| + 1)^0.1 / 10⁴, r = √(x₀² + x₁²)"
    source: ClassVar[str] = (
        "S. K. Mishra, Some new test functions for global optimization and performance of repulsive particle swarm "
        "method, 2006. The minima by Newton's method with 30 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (7.0, 3.6)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = tuple(
        (sx * WELL, sy * WELL) for sx in (1, -1) for sy in (1, -1)
    )
    minimum: ClassVar[float] = -2.0626118708227368778

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        value: Values = -np.exp(_Logarithm(x, y).value / 10) / 10**4
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        log = _Logarithm(x, y)
        tenth = self.surface(x, y) / 10
        return tenth * log.x, tenth * log.y

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        log = _Logarithm(x, y)
        tenth = self.surface(x, y) / 10
        return (
            tenth * (log.xx + log.x * log.x / 10),
            tenth * (log.xy + log.x * log.y / 10),
            tenth * (log.yy + log.y * log.y / 10),
        )


FUNCTION = CrossInTray
