"""How the derivatives of a user's own function are had: what a way has to offer, and the way that always works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float64

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Matrices

_GRADIENT_STEP = float(np.cbrt(np.finfo(np.float64).eps))
_HESSIAN_STEP = 1e-4
"""Of differences between gradients that are differences themselves, and so are good to ten digits only."""


class Derivatives(Protocol):
    """Value, gradient and Hessian of a callable. Every method takes and gives float64, with any leading axes."""

    @property
    def source(self) -> str:
        """How they are had, such as "autograd (torch)"."""
        ...

    def value(self, x: Points) -> Values:
        """f at each point."""
        ...

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        ...

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteDifferences:
    """Central differences: ∂f/∂xᵢ ≈ (f(x + hᵢeᵢ) − f(x − hᵢeᵢ)) / 2hᵢ with hᵢ = ∛ε · max(1, |xᵢ|), in float64.

    That step balances the error of the formula, ~h², with that of rounding, ~ε/h: about ten digits are right. The
    Hessian is made in the same way from the gradient, and symmetrised; when the gradient is made of differences
    itself, its step is 1e-4, and about seven digits are right.
    """

    evaluate: Callable[[Points], Values]
    """f, for points with any leading axes."""
    exact_gradient: Callable[[Points], Points] | None = None
    """∂f/∂xᵢ, for points with any leading axes, when it is known."""
    source: str = "finite differences"

    def value(self, x: Points) -> Values:
        """f at each point."""
        return self.evaluate(x)

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        if self.exact_gradient is not None:
            return self.exact_gradient(x)
        return _differences(self.evaluate, x, _GRADIENT_STEP)

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        step = _HESSIAN_STEP if self.exact_gradient is None else _GRADIENT_STEP
        columns: Matrices = _differences(self.gradient, x, step)
        symmetric: Matrices = (columns + np.swapaxes(columns, -1, -2)) / 2
        return symmetric


def _differences(
    evaluate: Callable[[Points], Float64[np.ndarray, "..."]], x: Points, step: float
) -> Float64[np.ndarray, "..."]:
    """The derivative by each coordinate, as a new last axis. All points are evaluated in one call."""
    steps = step * np.maximum(1, np.abs(x))
    offsets = steps[..., np.newaxis, :] * np.eye(x.shape[-1])
    above, below = x[..., np.newaxis, :] + offsets, x[..., np.newaxis, :] - offsets
    values = evaluate(np.stack([above, below]))
    # What was really added, after rounding.
    widths = np.einsum("...ii->...i", above - below)
    difference = values[0] - values[1]
    if difference.ndim > widths.ndim:
        return np.swapaxes(difference / widths[..., np.newaxis], -1, -2)
    quotient: Float64[np.ndarray, "..."] = difference / widths
    return quotient
