"""Shift: the same landscape elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices
from optiscope.problems.modifiers.per_coordinate import per_coordinate
from optiscope.problems.modifiers.placement import Placement


@dataclass(frozen=True, kw_only=True, eq=False)
class Shift(Placement):
    """f_new(y) = f(y − s): a minimum at m moves to m + s.

    Unveils rules that gain from a minimum at the origin, such as those with weight decay.
    """

    change: ClassVar[str] = "shift"

    offset: ArrayLike
    """s: one number for each coordinate, or one for all."""
    _offset: Float64[np.ndarray, " parameters"] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_offset", per_coordinate(self.offset, self.dimension, what="offset"))

    def there(self, x: Points) -> Points:
        """x + s."""
        result: Points = x + self._offset.astype(x.dtype)
        return result

    def back(self, y: Points) -> Points:
        """y − s."""
        result: Points = y - self._offset.astype(y.dtype)
        return result

    def back_gradient(self, gradient: Points) -> Points:
        """The gradient as it is."""
        return gradient

    def back_hessian(self, hessian: Matrices) -> Matrices:
        """The Hessian as it is."""
        return hessian
