"""Schaffer's fourth function: rings of ripples, with four minima beside the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.schaffer import Schaffer

RADIUS = 1.253131831463733202
"""Distance of the minima from the middle."""


@dataclass(frozen=True, kw_only=True)
class Schaffer4(Schaffer):
    """½ + (cos²(sin |x² − y²|) − ½) / (1 + 0.001 (x² + y²))².

    The absolute value changes nothing, because cos is even: the function is smooth.
    """

    name: ClassVar[str] = "schaffer4"
    title: ClassVar[str] = "Schaffer N. 4"
    formula: ClassVar[str] = "½ + (cos²(sin |x₀² − x₁²|) − ½) / (1 + 0.001 (x₀² + x₁²))²"
    source: ClassVar[str] = (
        "S. K. Mishra, Some new test functions for global optimization and performance of repulsive particle swarm "
        "method, 2006, after J. D. Schaffer, 1984. The four minima lie on the axes; by Newton's method with 40 digits. "
        "Usually on [−100, 100]², here on [−4, 4]², where the ripples can be seen."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-4.0, 4.0), (-4.0, 4.0))
    first: ClassVar[tuple[float, float]] = (2.5, 1.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = (
        (0.0, RADIUS),
        (0.0, -RADIUS),
        (RADIUS, 0.0),
        (-RADIUS, 0.0),
    )
    minimum: ClassVar[float] = 0.2925786320359805490

    @staticmethod
    def wave(u: Values) -> tuple[Values, Values, Values]:
        """What ripples, cos²(sin u), and its first two derivatives."""
        sine, cosine = np.sin(u), np.cos(u)
        twice = 2 * sine
        slope = -np.sin(twice) * cosine
        return np.cos(sine) ** 2, slope, np.sin(twice) * sine - 2 * np.cos(twice) * cosine * cosine


FUNCTION = Schaffer4
