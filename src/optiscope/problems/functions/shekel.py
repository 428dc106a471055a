"""Shekel's function: ten hollows of different depth in four dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function, Matrices

FLOORS = np.array([1, 2, 2, 4, 4, 6, 3, 7, 5, 5]) / 10
"""cₖ: the smaller, the deeper the hollow."""
CENTRES = np.array(
    [[4, 1, 8, 6, 3, 2, 5, 8, 6, 7], [4, 1, 8, 6, 7, 9, 3, 1, 2, 3.6]] * 2,
).T
"""aₖ: the middle of each hollow."""


@dataclass(frozen=True, kw_only=True)
class Shekel(Function):
    """−Σₖ 1 / (cₖ + |x − aₖ|²), with ten terms."""

    name: ClassVar[str] = "shekel"
    title: ClassVar[str] = "Shekel"
    formula: ClassVar[str] = "−Σₖ 1 / (cₖ + |x − aₖ|²), k = 1 … 10"
    source: ClassVar[str] = (
        "J. Shekel, Test functions for multimodal search techniques, 1971; the numbers as in L. C. W. Dixon and G. P. "
        "Szegö, Towards global optimization 2, 1978. The minimum by Newton's method with 30 digits."
    )

    @property
    def dimension(self) -> int:
        """4."""
        return 4

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[0, 10] along each coordinate."""
        return np.tile([0.0, 10.0], (4, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(5.5, 4.5, 3, 5)."""
        return np.array([5.5, 4.5, 3.0, 5.0])

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """Near (4, 4, 4, 4)."""
        return np.array([[4.0007468682706343883, 3.9995094800857735584] * 2])

    @property
    def minimum(self) -> float:
        """−10.536…."""
        return -10.536443153483527869

    def value(self, x: Points) -> Values:
        """f at each point."""
        values: Values = -self._hollows(x)[0].sum(axis=-1)
        return values

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        depths, away = self._hollows(x)
        result = np.empty_like(x)
        result[...] = 2 * ((depths * depths)[..., np.newaxis] * away).sum(axis=-2)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        depths, away = self._hollows(x)
        squares = depths * depths
        result = -8 * np.einsum("...k,...ki,...kj->...ij", squares * depths, away, away)
        i = np.arange(4)
        result[..., i, i] += 2 * squares.sum(axis=-1, keepdims=True)
        symmetric: Matrices = (result + np.swapaxes(result, -1, -2)) / 2
        return symmetric

    @staticmethod
    def _hollows(x: Points) -> tuple[Float[np.ndarray, "*batch 10"], Float[np.ndarray, "*batch 10 4"]]:
        """1 / (cₖ + |x − aₖ|²), and x − aₖ."""
        away = x[..., np.newaxis, :] - CENTRES.astype(x.dtype)
        return 1 / (FLOORS.astype(x.dtype) + (away * away).sum(axis=-1)), away


FUNCTION = Shekel
