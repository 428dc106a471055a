"""Hartmann's functions: four Gaussian hollows in three or six dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices

DEPTHS = np.array([1.0, 1.2, 3.0, 3.2])
"""cₖ: depth of each hollow."""
NARROWNESS: Mapping[int, Float64[np.ndarray, "4 parameters"]] = {
    3: np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]]),
    6: np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    ),
}
"""Aₖᵢ, by dimension."""
CENTRES: Mapping[int, Float64[np.ndarray, "4 parameters"]] = {
    3: np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]) / 10_000,
    6: np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    / 10_000,
}
"""Pₖᵢ, by dimension."""
MINIMA: Mapping[int, tuple[tuple[float, ...], float]] = {
    3: ((0.11458887665506896836, 0.55564889461693004477, 0.85254698468667743762), -3.8627797873326625228),
    6: (
        (
            0.20168951100670542433,
            0.15001069182345796879,
            0.47687397422189699032,
            0.27533243049405606824,
            0.31165161660011324245,
            0.65730053406562030606,
        ),
        -3.3223680114155148001,
    ),
}
"""Where the minimum is, and its value, by dimension."""


@dataclass(frozen=True, kw_only=True)
class Hartmann(Function):
    """−Σₖ cₖ exp(−Σᵢ Aₖᵢ (xᵢ − Pₖᵢ)²), with four terms."""

    name: ClassVar[str] = "hartmann"
    title: ClassVar[str] = "Hartmann"
    formula: ClassVar[str] = "−Σₖ cₖ exp(−Σᵢ Aₖᵢ (xᵢ − Pₖᵢ)²), k = 1 … 4"
    source: ClassVar[str] = (
        "J. K. Hartman, Some experiments in global optimization, 1973; the numbers as in L. C. W. Dixon and G. P. "
        "Szegö, Towards global optimization 2, 1978. The minima by Newton's method with 30 digits."
    )

    dimension: int = 3
    """Number of coordinates: 3 or 6."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=3, title=self.title)
        if self.dimension not in DEFINED:
            raise ArgumentError(f"Hartmann is defined for 3 and for 6 dimensions. Received: {self.dimension!r}.")

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[0, 1] along each coordinate."""
        return np.tile([0.0, 1.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(0.5, 0.5, …)."""
        return np.full(self.dimension, 0.5)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """One point."""
        return np.array([MINIMA[self.dimension][0]])

    @property
    def minimum(self) -> float:
        """−3.86… in three dimensions, −3.32… in six."""
        return MINIMA[self.dimension][1]

    def value(self, x: Points) -> Values:
        """f at each point."""
        values: Values = -self._hollows(x)[0].sum(axis=-1)
        return values

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        depths, pulls = self._hollows(x)
        result = np.empty_like(x)
        result[...] = (depths[..., np.newaxis] * pulls).sum(axis=-2)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        depths, pulls = self._hollows(x)
        result = -np.einsum("...k,...ki,...kj->...ij", depths, pulls, pulls)
        i = np.arange(self.dimension)
        result[..., i, i] += 2 * depths @ NARROWNESS[self.dimension].astype(x.dtype)
        symmetric: Matrices = (result + np.swapaxes(result, -1, -2)) / 2
        return symmetric

    def _hollows(self, x: Points) -> tuple[Float[np.ndarray, "*batch 4"], Float[np.ndarray, "*batch 4 parameters"]]:
        """cₖ exp(−…), and 2 Aₖᵢ (xᵢ − Pₖᵢ)."""
        narrowness = NARROWNESS[self.dimension].astype(x.dtype)
        away = x[..., np.newaxis, :] - CENTRES[self.dimension].astype(x.dtype)
        depths = DEPTHS.astype(x.dtype) * np.exp(-(narrowness * away * away).sum(axis=-1))
        return depths, 2 * narrowness * away


DEFINED = tuple(NARROWNESS)
"""The dimensions for which there are numbers."""

FUNCTION = Hartmann
