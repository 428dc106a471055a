"""Zakharov's function: a bowl with one direction that grows with the fourth power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Zakharov(Function):
    """Σᵢ xᵢ² + s² + s⁴, with s = Σᵢ (i + 1) xᵢ / 2 and i from 0: convex, with one minimum."""

    name: ClassVar[str] = "zakharov"
    title: ClassVar[str] = "Zakharov"
    formula: ClassVar[str] = "Σᵢ xᵢ² + s² + s⁴, s = ½ Σᵢ (i + 1) xᵢ"
    source: ClassVar[str] = (
        "V. V. Zakharov, 1975 (as collected by M. Jamil and X.-S. Yang, A literature survey of benchmark functions, "
        "2013). A sum of even powers, zero only at the origin."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5, 10] along each coordinate."""
        return np.tile([-5.0, 10.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−4, 7, −4, 7, …)."""
        return np.resize([-4.0, 7.0], self.dimension)

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
        square = (x * self._slope(x)).sum(axis=-1) ** 2
        total: Values = (x * x).sum(axis=-1) + square * (1 + square)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        slope = self._slope(x)
        s = (x * slope).sum(axis=-1, keepdims=True)
        # Added in place, which keeps the memory order of x: a batch stored coordinate by coordinate stays so.
        result: Points = 2 * x
        result += s * (2 + 4 * s * s) * slope
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        slope = self._slope(x)
        s = (x * slope).sum(axis=-1)[..., None, None]
        result: Matrices = (2 + 12 * s * s) * (slope[:, None] * slope)
        i = np.arange(self.dimension)
        result[..., i, i] += 2
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix."""
        x, v = np.broadcast_arrays(x, v)
        slope = self._slope(x)
        s = (x * slope).sum(axis=-1, keepdims=True)
        product: Points = 2 * v
        product += (2 + 12 * s * s) * (v * slope).sum(axis=-1, keepdims=True) * slope
        return product

    def _slope(self, x: Points) -> Float[np.ndarray, " parameters"]:
        """∂s/∂xᵢ = (i + 1)/2."""
        return (np.arange(1, self.dimension + 1) / 2).astype(x.dtype)


FUNCTION = Zakharov
