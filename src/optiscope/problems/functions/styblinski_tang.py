"""The Styblinski–Tang function: two wells along each coordinate, one of them deeper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction

DEEPER_WELL = -2.903534027771177095
"""The smallest root of 4x³ − 32x + 5."""
DEPTH = -39.16616570377141546
"""Of the deeper well, for one coordinate."""


@dataclass(frozen=True, kw_only=True)
class StyblinskiTang(SeparableFunction):
    """½ Σᵢ xᵢ⁴ − 16xᵢ² + 5xᵢ: 2ⁿ minima, one of them global."""

    name: ClassVar[str] = "styblinski_tang"
    title: ClassVar[str] = "Styblinski–Tang"
    formula: ClassVar[str] = "½ Σᵢ xᵢ⁴ − 16xᵢ² + 5xᵢ"
    source: ClassVar[str] = (
        "M. A. Styblinski and T.-S. Tang, Experiments in nonconvex optimization, 1990. "
        "The minimum along each coordinate is a root of a cubic, by Newton's method with 40 digits."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5, 5] along each coordinate."""
        return np.tile([-5.0, 5.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(0, 4, 0, 4, …): one coordinate between the wells, one on the outer wall of the less deep one."""
        return np.resize([0.0, 4.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """−2.9035… along each coordinate."""
        return np.full((1, self.dimension), DEEPER_WELL)

    @property
    def minimum(self) -> float:
        """−39.166… for each coordinate."""
        return DEPTH * self.dimension

    def terms(self, x: Points) -> Points:
        """(xᵢ⁴ − 16xᵢ² + 5xᵢ) / 2."""
        square = x * x
        result: Points = square * (square - 16) / 2 + 2.5 * x
        return result

    def slopes(self, x: Points) -> Points:
        """2xᵢ³ − 16xᵢ + 5/2."""
        result: Points = x * (2 * x * x - 16) + 2.5
        return result

    def curvatures(self, x: Points) -> Points:
        """6xᵢ² − 16."""
        result: Points = 6 * x * x - 16
        return result


FUNCTION = StyblinskiTang
