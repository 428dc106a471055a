"""Scaling: the same landscape, stretched along each coordinate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError
from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices
from optiscope.problems.modifiers.per_coordinate import per_coordinate
from optiscope.problems.modifiers.placement import Placement


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling(Placement):
    """f_new(y) = f(y / c), coordinate by coordinate: a minimum at m moves to c m.

    Unequal factors make a well-conditioned problem ill-conditioned. Rules that scale each coordinate by its gradients
    (Adam, AdaGrad) hardly notice, gradient descent does.
    """

    change: ClassVar[str] = "scaling"

    factors: ArrayLike
    """c: one factor for each coordinate, or one for all; not zero. Above 1 stretches, below 0 mirrors."""
    _factors: Float64[np.ndarray, " parameters"] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        factors = per_coordinate(self.factors, self.dimension, what="factors")
        if (factors == 0).any():
            raise ArgumentError(f"No factor is zero: all points would fall together. Received: {self.factors!r}.")
        object.__setattr__(self, "_factors", factors)

    def there(self, x: Points) -> Points:
        """c x."""
        result: Points = x * self._factors.astype(x.dtype)
        return result

    def back(self, y: Points) -> Points:
        """y / c."""
        result: Points = y / self._factors.astype(y.dtype)
        return result

    def back_gradient(self, gradient: Points) -> Points:
        """g / c."""
        result: Points = gradient / self._factors.astype(gradient.dtype)
        return result

    def back_hessian(self, hessian: Matrices) -> Matrices:
        """Hᵢⱼ / (cᵢ cⱼ)."""
        result: Matrices = hessian / np.outer(self._factors, self._factors).astype(hessian.dtype)
        return result
