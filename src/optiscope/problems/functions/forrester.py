"""Forrester's function: one coordinate, one local and one global minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.separable import SeparableFunction


@dataclass(frozen=True, kw_only=True)
class Forrester(SeparableFunction):
    """(6x − 2)² sin(12x − 4), of one coordinate."""

    name: ClassVar[str] = "forrester"
    title: ClassVar[str] = "Forrester"
    formula: ClassVar[str] = "(6x₀ − 2)² sin(12x₀ − 4)"
    source: ClassVar[str] = (
        "A. Forrester, A. Sóbester and A. Keane, Engineering design via surrogate modelling, 2008. "
        "The minimum by Newton's method with 30 digits."
    )

    @property
    def dimension(self) -> int:
        """1."""
        return 1

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[0.0, 1.0]."""
        return np.array([[0.0, 1.0]])

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """0.5."""
        return np.array([0.5])

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """One point."""
        return np.array([[0.75724875784185587005]])

    @property
    def minimum(self) -> float:
        """−6.02…."""
        return -6.0207400557670827866

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
