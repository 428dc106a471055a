"""Levy's function: waves along each coordinate over a shallow bowl."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction


@dataclass(frozen=True, kw_only=True)
class Levy(SeparableFunction):
    """sin²(πw₀) + Σᵢ₌₀ⁿ⁻² (wᵢ − 1)² (1 + 10 sin²(πwᵢ + 1)) + (wₙ₋₁ − 1)² (1 + sin²(2πwₙ₋₁)), wᵢ = 1 + (xᵢ − 1)/4.

    No term has two coordinates in it, though the usual way of writing it hides that: the Hessian is diagonal.
    """

    name: ClassVar[str] = "levy"
    title: ClassVar[str] = "Levy"
    formula: ClassVar[str] = (
        "sin²(πw₀) + Σᵢ₌₀ⁿ⁻² (wᵢ − 1)² (1 + 10 sin²(πwᵢ + 1)) + (wₙ₋₁ − 1)² (1 + sin²(2πwₙ₋₁)), wᵢ = 1 + (xᵢ − 1)/4"
    )
    source: ClassVar[str] = (
        "A. V. Levy and A. Montalvo, The tunneling algorithm for the global minimization of functions, 1985, in the "
        "form of M. Laguna and R. Martí, 2005. A sum of squares, zero only at (1, …, 1)."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−10, 10] along each coordinate."""
        return np.tile([-10.0, 10.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−8, 6, −8, 6, …)."""
        return np.resize([-8.0, 6.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """(1, …, 1)."""
        return np.ones((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """The terms of each coordinate; sin²(πw₀) = sin²(π(w₀ − 1)) belongs to the first."""
        away = (x - 1) / 4
        heights, rates, offsets = self._waves(x)
        result: Points = away * away * (1 + heights * np.sin(rates * away + offsets) ** 2)
        result[..., 0] += np.sin(math.pi * away[..., 0]) ** 2
        return result

    def slopes(self, x: Points) -> Points:
        """By the product rule, with ∂wᵢ/∂xᵢ = 1/4."""
        away = (x - 1) / 4
        heights, rates, offsets = self._waves(x)
        phase = rates * away + offsets
        rises = heights * rates * np.sin(2 * phase)
        result: Points = away * (2 + 2 * heights * np.sin(phase) ** 2 + away * rises)
        result[..., 0] += math.pi * np.sin(2 * math.pi * away[..., 0])
        result /= 4
        return result

    def curvatures(self, x: Points) -> Points:
        """By the product rule, with ∂wᵢ/∂xᵢ = 1/4."""
        away = (x - 1) / 4
        heights, rates, offsets = self._waves(x)
        phase = rates * away + offsets
        rises = heights * rates * np.sin(2 * phase)
        bends = 2 * heights * rates**2 * np.cos(2 * phase)
        result: Points = 2 + 2 * heights * np.sin(phase) ** 2 + away * (4 * rises + away * bends)
        result[..., 0] += 2 * math.pi**2 * np.cos(2 * math.pi * away[..., 0])
        result /= 16
        return result

    def _waves(self, x: Points) -> tuple[Points, Points, Points]:
        """Height h, rate r and offset o of each coordinate's factor 1 + h sin²(r (w − 1) + o); the last one differs."""
        heights, rates, offsets = (np.full(self.dimension, one, dtype=x.dtype) for one in (10, math.pi, 1))
        heights[-1], rates[-1], offsets[-1] = 1, 2 * math.pi, 0
        return heights, rates, offsets


FUNCTION = Levy
