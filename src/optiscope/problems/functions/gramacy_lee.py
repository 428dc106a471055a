"""Gramacy and Lee's function: one coordinate, waves that fade into a slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optiscope.objectives import Points
from optiscope.problems.functions.one_coordinate import OneCoordinateFunction


@dataclass(frozen=True, kw_only=True)
class GramacyLee(OneCoordinateFunction):
    """sin(10πx) / 2x + (x − 1)⁴, of one coordinate. It has a pole at 0, outside the domain."""

    name: ClassVar[str] = "gramacy_lee"
    title: ClassVar[str] = "Gramacy–Lee"
    formula: ClassVar[str] = "sin(10πx₀) / 2x₀ + (x₀ − 1)⁴"
    source: ClassVar[str] = (
        "R. B. Gramacy and H. K. H. Lee, Cases for the nugget in modeling computer experiments, 2012. "
        "The minimum by Newton's method with 30 digits."
    )
    domain: ClassVar[tuple[float, float]] = (0.5, 2.5)
    first: ClassVar[float] = 2.2
    minimum_point: ClassVar[float] = 0.54856344452760518407
    minimum: ClassVar[float] = -0.86901113498949976988

    def terms(self, x: Points) -> Points:
        """f."""
        terms: Points = np.sin(10 * np.pi * x) / (2 * x) + (x - 1) ** 4
        return terms

    def slopes(self, x: Points) -> Points:
        """f′."""
        wave, turned = np.sin(10 * np.pi * x), 10 * np.pi * np.cos(10 * np.pi * x)
        slopes: Points = (turned - wave / x) / (2 * x) + 4 * (x - 1) ** 3
        return slopes

    def curvatures(self, x: Points) -> Points:
        """f″."""
        wave, turned = np.sin(10 * np.pi * x), 10 * np.pi * np.cos(10 * np.pi * x)
        bend = 2 * wave / (x * x) - 2 * turned / x - 100 * np.pi**2 * wave
        curvatures: Points = bend / (2 * x) + 12 * (x - 1) ** 2
        return curvatures


FUNCTION = GramacyLee
