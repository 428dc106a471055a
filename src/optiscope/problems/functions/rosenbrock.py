"""Rosenbrock's banana: a curved, flat valley."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Rosenbrock(Function):
    """Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""

    name: ClassVar[str] = "rosenbrock"
    title: ClassVar[str] = "Rosenbrock"
    formula: ClassVar[str] = "Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²"
    source: ClassVar[str] = (
        "H. H. Rosenbrock, An automatic method for finding the greatest or least value of a function, 1960. "
        "A sum of squares, zero only at (1, …, 1)."
    )

    dimension: int = 2
    """Number of coordinates, at least 2."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=2, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−2, 2] along the first coordinate and [−1, 3] along the last, in two dimensions; else [−2, 3]."""
        if self.dimension == 2:
            return np.array([[-2.0, 2.0], [-1.0, 3.0]])
        return np.tile([-2.0, 3.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−1.2, 1, −1.2, 1, …), as in the paper."""
        return np.resize([-1.2, 1.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """(1, …, 1)."""
        return np.ones((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def value(self, x: Points) -> Values:
        """f at each point."""
        here, following = x[..., :-1], x[..., 1:]
        total: Values = (100 * (following - here * here) ** 2 + (1 - here) ** 2).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        here, following = x[..., :-1], x[..., 1:]
        bend = following - here * here
        bend *= 200
        # `empty_like` keeps the memory order of x, so a batch that is stored coordinate by coordinate stays so.
        result = np.empty_like(x)
        inner = np.subtract(1, bend, out=result[..., :-1])
        inner *= here
        inner -= 1
        inner *= 2
        result[..., -1] = bend[..., -1]
        result[..., 1:-1] += bend[..., :-1]
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        here, following = x[..., :-1], x[..., 1:]
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(self.dimension - 1)
        result[..., i, i] = 1200 * here * here - 400 * following + 2
        result[..., i + 1, i + 1] += 200
        result[..., i, i + 1] = result[..., i + 1, i] = -400 * here
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, from the three diagonals that are not zero."""
        x, v = np.broadcast_arrays(x, v)
        here, following = x[..., :-1], x[..., 1:]
        result = 200 * v
        result[..., 0] -= 200 * v[..., 0]
        result[..., :-1] += (1200 * here * here - 400 * following + 2) * v[..., :-1] - 400 * here * v[..., 1:]
        result[..., 1:] -= 400 * here * v[..., :-1]
        return result


FUNCTION = Rosenbrock
