"""The Perm function: a polynomial of high degree, flat and steep at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Perm(Function):
    """Σₖ (Σⱼ (jᵏ + β) ((xⱼ/j)ᵏ − 1))², with k and j from 1 to n (so that xⱼ is the coordinate number j − 1)."""

    name: ClassVar[str] = "perm"
    title: ClassVar[str] = "Perm"
    formula: ClassVar[str] = "Σₖ (Σⱼ (jᵏ + β) ((xⱼ₋₁/j)ᵏ − 1))², k, j = 1 … n"
    source: ClassVar[str] = (
        "A. Neumaier, COCONUT benchmark, 2003. A sum of squares, zero at (1, 2, …, n). In two dimensions both squares "
        "vanish at a second point too, where a line meets a conic again; in more there may be others, not listed."
    )

    dimension: int = 2
    """Number of coordinates n, at least 2."""
    beta: float = 0.5
    """β: the smaller, the harder."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=2, title=self.title)
        if not (np.isfinite(self.beta) and self.beta >= 0):
            raise ArgumentError(f"β is finite and not negative. Received: beta={self.beta!r}.")

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−n, n] along each coordinate."""
        return np.tile([-1.0, 1.0], (self.dimension, 1)) * float(self.dimension)

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−½ n, −¼ n, −½ n, …)."""
        return np.resize([-0.5, -0.25], self.dimension) * float(self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """(1, 2, …, n); in two dimensions the other one too."""
        first = np.arange(1.0, self.dimension + 1)
        if self.dimension > 2 or self.beta == 0:
            return first[np.newaxis]
        # With u = x₀ − 1 and v = x₁/2 − 1: a u + b v = 0 and a (u² + 2u) + c (v² + 2v) = 0.
        a, b, c = 1 + self.beta, 2 + self.beta, 4 + self.beta
        u = 2 * (c / b - 1) / (1 + a * c / b**2)
        return np.stack([first, [1 + u, 2 - 2 * a / b * u]])

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def value(self, x: Points) -> Values:
        """f at each point."""
        total: Values = np.zeros_like(x[..., 0])
        for k, factors, ratio in self._terms(x):
            total = total + (factors * (ratio**k - 1)).sum(axis=-1) ** 2
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        result = np.zeros_like(x)
        for k, factors, ratio in self._terms(x):
            residual = (factors * (ratio**k - 1)).sum(axis=-1, keepdims=True)
            result += 2 * residual * self._slope(k, factors, ratio)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(self.dimension)
        for k, factors, ratio in self._terms(x):
            residual = (factors * (ratio**k - 1)).sum(axis=-1, keepdims=True)
            slope = self._slope(k, factors, ratio)
            result += 2 * slope[..., :, np.newaxis] * slope[..., np.newaxis, :]
            if k > 1:
                result[..., i, i] += 2 * residual * factors * (k * (k - 1)) * ratio ** (k - 2) / self._numbers(x) ** 2
        return result

    def _numbers(self, x: Points) -> Points:
        return np.arange(1, self.dimension + 1, dtype=x.dtype)

    def _terms(self, x: Points) -> list[tuple[int, Points, Points]]:
        """k, jᵏ + β and xⱼ/j, for each k."""
        numbers = self._numbers(x)
        ratio = x / numbers
        return [(k, numbers**k + x.dtype.type(self.beta), ratio) for k in range(1, self.dimension + 1)]

    def _slope(self, k: int, factors: Points, ratio: Points) -> Points:
        """∂/∂xⱼ of the k-th sum."""
        slope: Points = factors * k * ratio ** (k - 1) / self._numbers(ratio)
        return slope


FUNCTION = Perm
