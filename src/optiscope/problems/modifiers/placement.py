"""What rotation, shift and scaling share: the landscape is moved by an affine map."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Matrices
from optiscope.problems.modifiers.modifier import Modifier


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement(Modifier):
    """y = T(x) takes every point of the landscape to its new place: f_new(y) = f(T⁻¹(y)).

    Minima, start and domain move along, and values stay. With J = ∂x/∂y, the same everywhere, the chain rule gives
    ∇f_new = Jᵀ ∇f and ∇²f_new = Jᵀ ∇²f J. Noise that `base` has is transformed like its gradient.
    """

    @abstractmethod
    def there(self, x: Points) -> Points:
        """T(x): the new place of a point of `base`."""

    @abstractmethod
    def back(self, y: Points) -> Points:
        """T⁻¹(y): where in `base` a point is."""

    @abstractmethod
    def back_gradient(self, gradient: Points) -> Points:
        """Jᵀ g: a gradient of `base` in the new coordinates."""

    @abstractmethod
    def back_hessian(self, hessian: Matrices) -> Matrices:
        """Jᵀ H J: a Hessian of `base` in the new coordinates."""

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the domain in its new place, along each coordinate."""
        ends = self.there(self.base.bounds.T)
        return np.stack([ends.min(axis=0), ends.max(axis=0)], axis=-1)

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """The customary start in its new place."""
        return self.there(self.base.start)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The known global minimum points in their new places."""
        return self.there(self.base.minima)

    def value(self, x: Points) -> Values:
        """f at each point."""
        return self.base.value(self.back(x))

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        return self.back_gradient(self.base.gradient(self.back(x)))

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        return self.back_hessian(self.base.hessian(self.back(x)))

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point."""
        product: Points = np.einsum("...ij,...j->...i", self.hessian(x), v)
        return product

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """What an optimizer sees in place of the gradient."""
        return self.back_gradient(self.base.stochastic_gradient(self.back(x), step=step, seeds=seeds))
