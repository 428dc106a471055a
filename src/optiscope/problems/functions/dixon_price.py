"""The Dixon–Price function: a chain of parabolas, each of which bends the next coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class DixonPrice(Function):
    """(x₀ − 1)² + Σᵢ (i + 1) (2xᵢ² − xᵢ₋₁)², for i from 1."""

    name: ClassVar[str] = "dixon_price"
    title: ClassVar[str] = "Dixon–Price"
    formula: ClassVar[str] = "(x₀ − 1)² + Σᵢ (i + 1) (2xᵢ² − xᵢ₋₁)²"
    source: ClassVar[str] = (
        "L. C. W. Dixon and R. C. Price, Truncated Newton method for sparse unconstrained optimization using automatic "
        "differentiation, 1989. A sum of squares, zero where x₀ = 1 and xᵢ² = xᵢ₋₁ / 2; the last may have either sign."
    )

    dimension: int = 2
    """Number of coordinates, at least 2."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=2, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−3, 3] along each coordinate; usually [−10, 10]."""
        return np.tile([-3.0, 3.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−2, 1.5, −2, 1.5, …)."""
        return np.resize([-2.0, 1.5], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """xᵢ = 2^(2^−i − 1), and the same with the last coordinate negative."""
        point = 2.0 ** (2.0 ** -np.arange(self.dimension) - 1)
        mirrored = point.copy()
        mirrored[-1] = -mirrored[-1]
        return np.stack([point, mirrored])

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def value(self, x: Points) -> Values:
        """f at each point."""
        total: Values = (x[..., 0] - 1) ** 2 + (self._weights(x) * self._bends(x) ** 2).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        pull = 2 * self._weights(x) * self._bends(x)
        result = np.zeros_like(x)
        result[..., 0] = 2 * (x[..., 0] - 1)
        result[..., 1:] += 4 * x[..., 1:] * pull
        result[..., :-1] -= pull
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        weights, following = self._weights(x), x[..., 1:]
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(self.dimension - 1)
        result[..., 0, 0] = 2
        result[..., i + 1, i + 1] += weights * (8 * self._bends(x) + 32 * following * following)
        result[..., i, i] += 2 * weights
        result[..., i, i + 1] = result[..., i + 1, i] = -8 * weights * following
        return result

    def _weights(self, x: Points) -> Points:
        return np.arange(2, self.dimension + 1, dtype=x.dtype)

    @staticmethod
    def _bends(x: Points) -> Points:
        bends: Points = 2 * x[..., 1:] * x[..., 1:] - x[..., :-1]
        return bends


FUNCTION = DixonPrice
