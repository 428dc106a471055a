"""The drop-wave function: rings like those of a drop that fell into water."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _radial(radius: Values) -> tuple[Values, Values]:
    """f′(r)/r, which is f″(0) at 0, and f″(r)."""
    top, bottom = 1 + np.cos(12 * radius), radius * radius / 2 + 2
    slope = 12 * np.sin(12 * radius)
    # sin 12r / r, without the division by zero.
    steep = 144 * np.sinc(12 * radius / np.pi)
    over_radius = (steep * bottom + top) / bottom**2
    # The derivative of r · over_radius.
    bend = (144 * np.cos(12 * radius) * bottom + top - slope * radius) / bottom**2
    return over_radius, bend + slope * radius / bottom**2 - 2 * radius * radius * over_radius / bottom


@dataclass(frozen=True, kw_only=True)
class DropWave(PlanarFunction):
    """−(1 + cos 12r) / (r²/2 + 2) with r = √(x² + y²): every ring is a circle of minima or maxima."""

    name: ClassVar[str] = "drop_wave"
    title: ClassVar[str] = "Drop-wave"
    formula: ClassVar[str] = "−(1 + cos 12r) / (r²/2 + 2), r = √(x₀² + x₁²)"
    source: ClassVar[str] = (
        "Collected by S. Surjanovic and D. Bingham, Virtual library of simulation experiments, 2013. The numerator is "
        "at most 2 and the denominator at least 2, both only at the origin. Usually on [−5.12, 5.12]², "
        "here on [−2, 2]²."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.0, 2.0), (-2.0, 2.0))
    first: ClassVar[tuple[float, float]] = (1.2, 0.5)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = -1.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        radius = np.hypot(x, y)
        value: Values = -(1 + np.cos(12 * radius)) / (radius * radius / 2 + 2)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        over_radius, _ = _radial(np.hypot(x, y))
        return x * over_radius, y * over_radius

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        radius = np.hypot(x, y)
        over_radius, second = _radial(radius)
        unit = np.where(radius == 0, 1, radius)
        cosine, sine = x / unit, y / unit
        along = second - over_radius
        return over_radius + along * cosine * cosine, along * cosine * sine, over_radius + along * sine * sine


FUNCTION = DropWave
