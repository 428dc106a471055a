"""Griewank's function: a wide bowl under a product of waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices

WIDTH = 4000
"""The bowl is Σ x² / WIDTH."""


@dataclass(frozen=True, kw_only=True)
class Griewank(Function):
    """1 + Σᵢ xᵢ²/4000 − Πᵢ cos(xᵢ/√(i + 1)), with i from 0."""

    name: ClassVar[str] = "griewank"
    title: ClassVar[str] = "Griewank"
    formula: ClassVar[str] = "1 + Σᵢ xᵢ²/4000 − Πᵢ cos(xᵢ/√(i + 1))"
    source: ClassVar[str] = (
        "A. O. Griewank, Generalized descent for global optimization, 1981. "
        "The product is at most 1 and the sum at least 0, both at the origin."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−10, 10] along each coordinate, where the waves can be seen; also customary is ±600, which looks a bowl."""
        return np.tile([-10.0, 10.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−7, 6, −7, 6, …)."""
        return np.resize([-7.0, 6.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The origin."""
        return np.zeros((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def value(self, x: Points) -> Values:
        """f at each point."""
        product = np.cos(x * self._frequencies(x)).prod(axis=-1)
        total: Values = 1 + (x * x).sum(axis=-1) / WIDTH - product
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        frequencies = self._frequencies(x)
        others = _products_of_the_others(np.cos(x * frequencies))
        result: Points = x / (WIDTH / 2) + frequencies * np.sin(x * frequencies) * others
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        frequencies = self._frequencies(x)
        cosines, slopes = np.cos(x * frequencies), -frequencies * np.sin(x * frequencies)
        result = np.empty((*x.shape, self.dimension), dtype=x.dtype)
        for i in range(self.dimension):
            # Row i is the gradient of the product in which factor i has already been differentiated.
            factors = cosines.copy()
            factors[..., i] = slopes[..., i]
            result[..., i, :] = -slopes * _products_of_the_others(factors)
        diagonal = np.arange(self.dimension)
        result[..., diagonal, diagonal] = 2 / WIDTH + frequencies**2 * cosines.prod(axis=-1)[..., None]
        # The two triangles multiply the same factors in another order; the last bits agree after this.
        symmetric: Matrices = (result + np.swapaxes(result, -1, -2)) / 2
        return symmetric

    def _frequencies(self, x: Points) -> Points:
        """1/√1, 1/√2, …"""
        return (1 / np.sqrt(np.arange(1, self.dimension + 1))).astype(x.dtype)


def _products_of_the_others(factors: Points) -> Points:
    """Πⱼ≠ᵢ of the factors along the last axis, without dividing by factors that may be 0."""
    result = np.ones_like(factors)
    before, after = np.ones_like(factors[..., 0]), np.ones_like(factors[..., 0])
    last = factors.shape[-1] - 1
    for i in range(last):
        before = before * factors[..., i]
        after = after * factors[..., last - i]
        result[..., i + 1] *= before
        result[..., last - i - 1] *= after
    return result


FUNCTION = Griewank
