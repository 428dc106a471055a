"""Schaffer's second function: rings of ripples that grow denser outwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction

SPREAD = 0.001
"""How fast the ripples die out."""


@dataclass(frozen=True, kw_only=True)
class Schaffer(PlanarFunction):
    """½ + (sin²(x² − y²) − ½) / (1 + 0.001 (x² + y²))²."""

    name: ClassVar[str] = "schaffer"
    title: ClassVar[str] = "Schaffer N. 2"
    formula: ClassVar[str] = "½ + (sin²(x₀² − x₁²) − ½) / (1 + 0.001 (x₀² + x₁²))²"
    source: ClassVar[str] = (
        "J. D. Schaffer, Some experiments in machine learning using vector evaluated genetic algorithms, 1984; "
        "numbered as by S. K. Mishra, 2006. At least ½ − ½ / (…)² ≥ 0, with equality only at the origin. "
        "Usually on [−100, 100]², here on [−4, 4]², where the ripples can be seen."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-4.0, 4.0), (-4.0, 4.0))
    first: ClassVar[tuple[float, float]] = (2.5, 1.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    @staticmethod
    def wave(u: Values) -> tuple[Values, Values, Values]:
        """What ripples, sin² u, and its first two derivatives."""
        sine, cosine = np.sin(u), np.cos(u)
        return sine * sine, 2 * sine * cosine, 2 * (cosine * cosine - sine * sine)

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        wave, _, _ = self.wave(x * x - y * y)
        spread = 1 + SPREAD * (x * x + y * y)
        value: Values = 0.5 + (wave - 0.5) / (spread * spread)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        wave, slope, _ = self.wave(x * x - y * y)
        spread = 1 + SPREAD * (x * x + y * y)
        common = -4 * SPREAD * (wave - 0.5) / spread**3
        ripple = 2 * slope / (spread * spread)
        return x * (common + ripple), y * (common - ripple)

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        wave, slope, bend = self.wave(x * x - y * y)
        spread = 1 + SPREAD * (x * x + y * y)
        square, cube = spread * spread, spread**3
        common, ripple = -4 * SPREAD * (wave - 0.5) / cube, 2 * slope / square
        # ∂common/∂x = 2x (fall + mixed), ∂common/∂y = 2y (fall − mixed);
        # ∂ripple/∂x = 2x (mixed + curl), ∂ripple/∂y = 2y (mixed − curl).
        fall = 12 * SPREAD**2 * (wave - 0.5) / square**2
        mixed, curl = -4 * SPREAD * slope / cube, 2 * bend / square
        return (
            common + ripple + 2 * x * x * (fall + 2 * mixed + curl),
            2 * x * y * (fall - curl),
            common - ripple + 2 * y * y * (fall - 2 * mixed + curl),
        )


FUNCTION = Schaffer
