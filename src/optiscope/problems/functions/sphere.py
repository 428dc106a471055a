"""The weighted sphere: the plainest bowl, rounder or longer by its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.objectives import Points
from optiscope.problems.functions.separable import SeparableFunction


@dataclass(frozen=True, kw_only=True)
class Sphere(SeparableFunction):
    """Σᵢ wᵢ xᵢ², with the constant Hessian diag(2w).

    The axes are its eigenvectors; `quadratic` has the same shapes turned in space and any spectrum.
    """

    name: ClassVar[str] = "sphere"
    title: ClassVar[str] = "Weighted sphere"
    formula: ClassVar[str] = "Σᵢ wᵢ xᵢ²"
    source: ClassVar[str] = (
        "K. A. De Jong, An analysis of the behavior of a class of genetic adaptive systems, 1975, with all weights 1. "
        "A sum of squares, zero only at the origin."
    )

    weights: Sequence[float] = (0.2, 2.0)
    """Positive weight of each coordinate's square; their number is the dimension."""

    def __post_init__(self) -> None:
        given: Any = self.weights
        try:
            weights = tuple(float(one) for one in given)
        except (TypeError, ValueError):
            raise self._wrong(given) from None
        if not weights or not all(0 < one < math.inf for one in weights):
            raise self._wrong(given)
        # Lists and arrays are taken too, and kept as what a frozen object can hold.
        object.__setattr__(self, "weights", weights)

    @staticmethod
    def _wrong(given: object) -> ArgumentError:
        return ArgumentError(
            f"The weights of the sphere are positive finite numbers, one for each coordinate. Received: {given!r}."
        )

    @property
    def dimension(self) -> int:
        """Number of weights."""
        return len(self.weights)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5, 5] along each coordinate."""
        return np.tile([-5.0, 5.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(3, 4, 3, 4, …)."""
        return np.resize([3.0, 4.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The origin."""
        return np.zeros((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """wᵢ xᵢ²."""
        result: Points = np.asarray(self.weights, dtype=x.dtype) * x * x
        return result

    def slopes(self, x: Points) -> Points:
        """2 wᵢ xᵢ."""
        result: Points = np.asarray(self.weights, dtype=x.dtype) * 2 * x
        return result

    def curvatures(self, x: Points) -> Points:
        """2 wᵢ."""
        result = np.empty_like(x)
        result[...] = 2 * np.asarray(self.weights, dtype=x.dtype)
        return result


FUNCTION = Sphere
