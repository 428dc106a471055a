"""Schwefel's function: the best basin is far from the second best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction

FARTHEST_BASIN = 420.9687463599820273
"""s², where s is the root of tan s = −s/2 near 20.5."""
HEIGHT = 418.9828872724337063
"""FARTHEST_BASIN · sin √FARTHEST_BASIN: puts the minimum at zero."""


@dataclass(frozen=True, kw_only=True)
class Schwefel(SeparableFunction):
    """Σᵢ 418.98… − xᵢ sin √|xᵢ|.

    The gradient is continuous at xᵢ = 0. The second derivative there is infinite on both sides, with opposite signs;
    it is defined as 0. The minimum is that of the domain: beyond it there are deeper basins, without end.
    """

    name: ClassVar[str] = "schwefel"
    title: ClassVar[str] = "Schwefel"
    formula: ClassVar[str] = "Σᵢ 418.982887… − xᵢ sin √|xᵢ|"
    source: ClassVar[str] = (
        "H.-P. Schwefel, Numerical Optimization of Computer Models, 1981. "
        "The minimum along each coordinate solves tan √x = −√x/2, by Newton's method with 40 digits."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−500, 500] along each coordinate."""
        return np.tile([-500.0, 500.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(100, −250, 100, −250, …)."""
        return np.resize([100.0, -250.0], self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """420.968… along each coordinate."""
        return np.full((1, self.dimension), FARTHEST_BASIN)

    @property
    def minimum(self) -> float:
        """0."""
        return 0.0

    def terms(self, x: Points) -> Points:
        """418.98… − xᵢ sin √|xᵢ|."""
        result: Points = HEIGHT - x * np.sin(np.sqrt(np.abs(x)))
        return result

    def slopes(self, x: Points) -> Points:
        """−sin s − ½ s cos s, with s = √|xᵢ|."""
        root = np.sqrt(np.abs(x))
        result: Points = -np.sin(root) - root * np.cos(root) / 2
        return result

    def curvatures(self, x: Points) -> Points:
        """±(s sin s − 3 cos s) / 4s, with s = √|xᵢ| and the sign of xᵢ; 0 at 0."""
        root = np.sqrt(np.abs(x))
        divisor = np.where(root == 0, np.inf, root)
        result: Points = np.sign(x) * (np.sin(root) - 3 * np.cos(root) / divisor) / 4
        return result


FUNCTION = Schwefel
