"""Functions that are a sum of one term for each coordinate: the Hessian is diagonal."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function, Matrices


class SeparableFunction(Function):
    """Σᵢ tᵢ(xᵢ). A subclass writes the terms and their first two derivatives, each in the shape of x."""

    @abstractmethod
    def terms(self, x: Points) -> Points:
        """tᵢ(xᵢ)."""

    @abstractmethod
    def slopes(self, x: Points) -> Points:
        """tᵢ′(xᵢ)."""

    @abstractmethod
    def curvatures(self, x: Points) -> Points:
        """tᵢ″(xᵢ)."""

    def value(self, x: Points) -> Values:
        """f at each point."""
        total: Values = self.terms(x).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        return self.slopes(x)

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point: a diagonal matrix."""
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(self.dimension)
        result[..., i, i] = self.curvatures(x)
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix."""
        product: Points = self.curvatures(x) * v
        return product
