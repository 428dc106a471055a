"""Functions of exactly two coordinates, written as formulas of x and y."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function, Matrices


class PlanarFunction(Function):
    """f(x, y). A subclass states four facts and writes f and its partial derivatives for arrays of x and of y.

    A derivative that does not depend on the point may be returned as a plain number.
    """

    dimension: ClassVar[int] = 2
    """2."""
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]]
    """Lower and upper end along x, then along y."""
    first: ClassVar[tuple[float, float]]
    """The customary start."""
    minimum_points: ClassVar[tuple[tuple[float, float], ...]]
    """The global minimum points in the domain."""
    minimum: ClassVar[float]
    """The smallest value in the domain."""

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the customary domain along each coordinate."""
        return np.array(self.domain)

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """The customary start."""
        return np.array(self.first)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The global minimum points in the domain, one a row."""
        return np.array(self.minimum_points, dtype=float).reshape(-1, 2)

    @abstractmethod
    def surface(self, x: Values, y: Values) -> Values:
        """f."""

    @abstractmethod
    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""

    @abstractmethod
    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""

    def value(self, x: Points) -> Values:
        """f at each point."""
        return self.surface(x[..., 0], x[..., 1])

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        # `empty_like` keeps the memory order of x, so a batch that is stored coordinate by coordinate stays so.
        result = np.empty_like(x)
        result[..., 0], result[..., 1] = self.slopes(x[..., 0], x[..., 1])
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        result = np.empty((*x.shape, 2), dtype=x.dtype)
        xx, xy, yy = self.curvatures(x[..., 0], x[..., 1])
        result[..., 0, 0], result[..., 1, 1] = xx, yy
        result[..., 0, 1] = result[..., 1, 0] = xy
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix."""
        xx, xy, yy = self.curvatures(x[..., 0], x[..., 1])
        result = np.empty_like(x, shape=np.broadcast_shapes(x.shape, v.shape))
        result[..., 0] = xx * v[..., 0] + xy * v[..., 1]
        result[..., 1] = xy * v[..., 0] + yy * v[..., 1]
        return result
