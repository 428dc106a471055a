"""Powell's singular function: the Hessian at the minimum is singular, so Newton's method slows down too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Powell(Function):
    """Σ (a + 10b)² + 5 (c − d)² + (b − 2c)⁴ + 10 (a − d)⁴, over consecutive groups (a, b, c, d) of four coordinates."""

    name: ClassVar[str] = "powell"
    title: ClassVar[str] = "Powell"
    formula: ClassVar[str] = "Σ (x₀ + 10x₁)² + 5 (x₂ − x₃)² + (x₁ − 2x₂)⁴ + 10 (x₀ − x₃)⁴, over groups of four"
    source: ClassVar[str] = (
        "M. J. D. Powell, An iterative method for finding stationary values of a function of several variables, 1962. "
        "A sum of even powers, zero only at the origin."
    )

    dimension: int = 4
    """Number of coordinates, a multiple of 4."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=4, title=self.title)
        if self.dimension % 4:
            raise ArgumentError(f"The dimension of Powell is a multiple of 4. Received: {self.dimension!r}.")

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−4, 5] along each coordinate."""
        return np.tile([-4.0, 5.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(3, −1, 0, 1, …), as in the paper."""
        return np.resize([3.0, -1.0, 0.0, 1.0], self.dimension)

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
        a, b, c, d = (x[..., i::4] for i in range(4))
        total: Values = ((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4).sum(axis=-1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        a, b, c, d = (x[..., i::4] for i in range(4))
        first, second = 2 * (a + 10 * b), 10 * (c - d)
        third, fourth = 4 * (b - 2 * c) ** 3, 40 * (a - d) ** 3
        result = np.empty_like(x)
        result[..., 0::4] = first + fourth
        result[..., 1::4] = 10 * first + third
        result[..., 2::4] = second - 2 * third
        result[..., 3::4] = -second - fourth
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point: blocks of four by four."""
        a, b, c, d = (x[..., i::4] for i in range(4))
        third, fourth = 12 * (b - 2 * c) ** 2, 120 * (a - d) ** 2
        result = np.zeros((*x.shape, self.dimension), dtype=x.dtype)
        i = np.arange(0, self.dimension, 4)
        result[..., i, i] = 2 + fourth
        result[..., i, i + 1] = result[..., i + 1, i] = 20
        result[..., i, i + 3] = result[..., i + 3, i] = -fourth
        result[..., i + 1, i + 1] = 200 + third
        result[..., i + 1, i + 2] = result[..., i + 2, i + 1] = -2 * third
        result[..., i + 2, i + 2] = 10 + 4 * third
        result[..., i + 2, i + 3] = result[..., i + 3, i + 2] = -10
        result[..., i + 3, i + 3] = 10 + fourth
        return result


FUNCTION = Powell
