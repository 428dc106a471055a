"""Rastrigin's function: a bowl with a regular grid of minima."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction

HEIGHT = 10
"""Of the ripples, half from trough to crest."""
FREQUENCY = 2 * math.pi


@dataclass(frozen=True, kw_only=True)
class Rastrigin(SeparableFunction):
    """Σᵢ xᵢ² + 10 (1 − cos 2πxᵢ)."""

    name: ClassVar[str] = "rastrigin"
    title: ClassVar[str] = "Rastrigin"
    formula: ClassVar[str] = "Σᵢ xᵢ² + 10 (1 − cos 2πxᵢ)"
    source: ClassVar[str] = (
        "L. A. Rastrigin, Systems of extremal control, 1974; for any dimension H. Mühlenbein, D. Schomisch and J. "
        "Born, 1991. Both parts of each term are smallest at 0."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5.12, 5.12] along each coordinate."""
        return np.tile([-5.12, 5.12], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(−3.3, 2.6, −3.3, 2.6, …), on slopes between minima."""
        return np.resize([-3.3, 2.6], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The origin."""
        return np.zeros((1, self.dimension))

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """xᵢ² + 10 (1 − cos 2πxᵢ)."""
        result: Points = x * x + HEIGHT * (1 - np.cos(FREQUENCY * x))
        return result

    def slopes(self, x: Points) -> Points:
        """2xᵢ + 20π sin 2πxᵢ."""
        result: Points = 2 * x + HEIGHT * FREQUENCY * np.sin(FREQUENCY * x)
        return result

    def curvatures(self, x: Points) -> Points:
        """2 + 40π² cos 2πxᵢ."""
        result: Points = 2 + HEIGHT * FREQUENCY**2 * np.cos(FREQUENCY * x)
        return result


FUNCTION = Rastrigin
