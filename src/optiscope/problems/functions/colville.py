"""Colville's function, also Wood's: four coordinates, and a saddle that looks like a minimum from afar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Colville(Function):
    """Two valleys like Rosenbrock's that are coupled: for the formula see `formula`."""

    name: ClassVar[str] = "colville"
    title: ClassVar[str] = "Colville"
    formula: ClassVar[str] = (
        "100 (x₀² − x₁)² + (x₀ − 1)² + (x₂ − 1)² + 90 (x₂² − x₃)² + 10.1 ((x₁ − 1)² + (x₃ − 1)²) "
        "+ 19.8 (x₁ − 1)(x₃ − 1)"
    )
    source: ClassVar[str] = (
        "A. R. Colville, A comparative study of nonlinear programming codes, 1968. Squares and a positive definite "
        "quadratic (10.1 > 9.9), zero only at (1, 1, 1, 1)."
    )

    @property
    def dimension(self) -> int:
        """4."""
        return 4

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−4, 4] along each coordinate; usually [−10, 10]."""
        return np.tile([-4.0, 4.0], (4, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−3, −1, −3, −1), as is customary."""
        return np.array([-3.0, -1.0, -3.0, -1.0])

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """(1, 1, 1, 1)."""
        return np.ones((1, 4))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def value(self, x: Points) -> Values:
        """f at each point."""
        a, b, c, d = (x[..., i] for i in range(4))
        valleys = 100 * (a * a - b) ** 2 + (a - 1) ** 2 + 90 * (c * c - d) ** 2 + (c - 1) ** 2
        total: Values = valleys + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        a, b, c, d = (x[..., i] for i in range(4))
        result = np.empty_like(x)
        result[..., 0] = 400 * a * (a * a - b) + 2 * (a - 1)
        result[..., 1] = -200 * (a * a - b) + 20.2 * (b - 1) + 19.8 * (d - 1)
        result[..., 2] = 360 * c * (c * c - d) + 2 * (c - 1)
        result[..., 3] = -180 * (c * c - d) + 20.2 * (d - 1) + 19.8 * (b - 1)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        a, b, c, d = (x[..., i] for i in range(4))
        result = np.zeros((*x.shape, 4), dtype=x.dtype)
        result[..., 0, 0] = 1200 * a * a - 400 * b + 2
        result[..., 0, 1] = result[..., 1, 0] = -400 * a
        result[..., 1, 1] = 220.2
        result[..., 1, 3] = result[..., 3, 1] = 19.8
        result[..., 2, 2] = 1080 * c * c - 360 * d + 2
        result[..., 2, 3] = result[..., 3, 2] = -360 * c
        result[..., 3, 3] = 200.2
        return result


FUNCTION = Colville
