"""Forrester's function: one coordinate, one local and one global minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optiscope.objectives import Points
from optiscope.problems.functions.one_coordinate import OneCoordinateFunction


@dataclass(frozen=True, kw_only=True)
class Forrester(OneCoordinateFunction):
    """(6x − 2)² sin(12x − 4), of one coordinate."""

    name: ClassVar[str] = "forrester"
    title: ClassVar[str] = "Forrester"
    formula: ClassVar[str] = "(6x₀ − 2)² sin(12x₀ − 4)"
    source: ClassVar[str] = (
        "A. Forrester, A. Sóbester and A. Keane, Engineering design via surrogate modelling, 2008. "
        "The minimum by Newton's method with 30 digits."
    )
    domain: ClassVar[tuple[float, float]] = (0.0, 1.0)
    first: ClassVar[float] = 0.5
    minimum_point: ClassVar[float] = 0.75724875784185587005
    minimum: ClassVar[float] = -6.0207400557670827866

    def terms(self, x: Points) -> Points:
        """f."""
        height = 6 * x - 2
        terms: Points = height * height * np.sin(2 * height)
        return terms

    def slopes(self, x: Points) -> Points:
        """f′."""
        height = 6 * x - 2
        slopes: Points = 12 * height * (np.sin(2 * height) + height * np.cos(2 * height))
        return slopes

    def curvatures(self, x: Points) -> Points:
        """f″."""
        height = 6 * x - 2
        sine, cosine = np.sin(2 * height), np.cos(2 * height)
        curvatures: Points = 72 * (sine * (1 - 2 * height * height) + 4 * height * cosine)
        return curvatures


FUNCTION = Forrester
