"""The rotated hyper-ellipsoid, Schwefel's double sum: an ill-conditioned bowl that lies across the axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class RotatedHyperEllipsoid(Function):
    """Σᵢ (x₀ + … + xᵢ)².

    Some collections give this name to Σᵢ (x₀² + … + xᵢ²), which is not rotated: that is a sphere with weights.
    """

    name: ClassVar[str] = "rotated_hyper_ellipsoid"
    title: ClassVar[str] = "Rotated hyper-ellipsoid"
    formula: ClassVar[str] = "Σᵢ (x₀ + … + xᵢ)²"
    source: ClassVar[str] = (
        "H.-P. Schwefel, Numerical optimization of computer models, 1981, problem 1.2. A sum of squares, zero only "
        "where all partial sums are: at the origin."
    )

    dimension: int = 2
    """Number of coordinates, at least 2."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=2, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−65.536, 65.536] along each coordinate."""
        return np.tile([-65.536, 65.536], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(50, 30, 50, 30, …)."""
        return np.resize([50.0, 30.0], self.dimension)

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
        total: Values = (np.cumsum(x, axis=-1) ** 2).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point: twice the sum of all partial sums from i on."""
        return self.hessian_vector_product(x, x)

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ: twice the number of partial sums that have both, everywhere."""
        i = np.arange(self.dimension)
        result = np.empty((*x.shape, self.dimension), dtype=x.dtype)
        result[...] = 2 * (self.dimension - np.maximum.outer(i, i))
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix."""
        result = np.empty_like(x, shape=np.broadcast_shapes(x.shape, v.shape))
        result[...] = 2 * np.cumsum(np.cumsum(v, axis=-1)[..., ::-1], axis=-1)[..., ::-1]
        return result


FUNCTION = RotatedHyperEllipsoid
