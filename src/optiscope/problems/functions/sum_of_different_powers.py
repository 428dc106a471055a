"""The sum of different powers: each coordinate is flatter at the minimum than the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction


@dataclass(frozen=True, kw_only=True)
class SumOfDifferentPowers(SeparableFunction):
    """Σᵢ |xᵢ|^(i + 2).

    The second derivative is continuous everywhere; the third of |x₁|³ is not at 0.
    """

    name: ClassVar[str] = "sum_of_different_powers"
    title: ClassVar[str] = "Sum of different powers"
    formula: ClassVar[str] = "Σᵢ |xᵢ|^(i + 2)"
    source: ClassVar[str] = (
        "Collected by M. Molga and C. Smutnicki, Test functions for optimization needs, 2005. No term is negative; "
        "all are zero only at the origin."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−1, 1] along each coordinate."""
        return np.tile([-1.0, 1.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(0.9, −0.8, 0.9, −0.8, …)."""
        return np.resize([0.9, -0.8], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The origin."""
        return np.zeros((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """|xᵢ|^(i + 2)."""
        terms: Points = np.abs(x) ** self._powers(x)
        return terms

    def slopes(self, x: Points) -> Points:
        """The derivatives of the terms."""
        powers = self._powers(x)
        slopes: Points = powers * np.sign(x) * np.abs(x) ** (powers - 1)
        return slopes

    def curvatures(self, x: Points) -> Points:
        """The second derivatives of the terms."""
        powers = self._powers(x)
        curvatures: Points = powers * (powers - 1) * np.abs(x) ** (powers - 2)
        return curvatures

    @staticmethod
    def _powers(x: Points) -> Points:
        return np.arange(2, x.shape[-1] + 2, dtype=x.dtype)


FUNCTION = SumOfDifferentPowers
