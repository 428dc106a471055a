"""The Trid function: a quadratic whose valley gets longer with every dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Trid(Function):
    """Σᵢ (xᵢ − 1)² − Σᵢ xᵢ xᵢ₋₁. The Hessian is tridiagonal, with a condition number that grows like n²."""

    name: ClassVar[str] = "trid"
    title: ClassVar[str] = "Trid"
    formula: ClassVar[str] = "Σᵢ (xᵢ − 1)² − Σᵢ xᵢ xᵢ₋₁"
    source: ClassVar[str] = (
        "A. Neumaier, COCONUT benchmark, 2003. The Hessian is the positive definite matrix of second differences; "
        "solving 2xᵢ − xᵢ₋₁ − xᵢ₊₁ = 2 gives xᵢ = (i + 1)(n − i)."
    )

    dimension: int = 2
    """Number of coordinates n, at least 2."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=2, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−n², n²] along each coordinate."""
        return np.tile([-1.0, 1.0], (self.dimension, 1)) * float(self.dimension**2)

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−¾ n², ½ n², −¾ n², …)."""
        return np.resize([-0.75, 0.5], self.dimension) * float(self.dimension**2)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """xᵢ = (i + 1)(n − i)."""
        i = np.arange(self.dimension, dtype=np.float64)
        return ((i + 1) * (self.dimension - i))[np.newaxis]

    @property
    def minimum(self) -> float:
        """−n (n + 4)(n − 1) / 6."""
        return -self.dimension * (self.dimension + 4) * (self.dimension - 1) / 6

    def value(self, x: Points) -> Values:
        """f at each point."""
        total: Values = ((x - 1) ** 2).sum(axis=-1) - (x[..., 1:] * x[..., :-1]).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        result = np.empty_like(x)
        result[...] = 2 * (x - 1)
        result[..., 1:] -= x[..., :-1]
        result[..., :-1] -= x[..., 1:]
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ: 2 on the diagonal and −1 beside it, everywhere."""
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(self.dimension)
        result[..., i, i] = 2
        result[..., i[1:], i[:-1]] = result[..., i[:-1], i[1:]] = -1
        return result


FUNCTION = Trid
