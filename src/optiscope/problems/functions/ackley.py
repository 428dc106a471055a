"""Ackley's function: a nearly flat, rippled plain around one deep, pointed funnel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices

DEPTH = 20
"""Of the funnel."""
DECAY = 0.2
"""How fast the funnel flattens outwards."""
FREQUENCY = 2 * math.pi
"""Of the ripples."""


@dataclass(frozen=True, kw_only=True)
class Ackley(Function):
    """−20 exp(−0.2 r) − exp(mean cos 2πxᵢ) + 20 + e, with r = √(mean xᵢ²).

    The funnel has a kink at the origin: its slope there is 4/√n in every direction. Both derivatives of the funnel are
    defined as 0 at the origin, where only the ripples are left.
    """

    name: ClassVar[str] = "ackley"
    title: ClassVar[str] = "Ackley"
    formula: ClassVar[str] = "−20 exp(−0.2 √(Σᵢxᵢ²/n)) − exp(Σᵢcos 2πxᵢ / n) + 20 + e"
    source: ClassVar[str] = (
        "D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing, 1987; for any dimension T. Bäck, 1996. "
        "Both exponentials are largest at the origin."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5, 5] along each coordinate; also customary is ±32.768, where most of it is flat."""
        return np.tile([-5.0, 5.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(3.3, −2.4, 3.3, −2.4, …)."""
        return np.resize([3.3, -2.4], self.dimension)

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
        radius = np.sqrt((x * x).mean(axis=-1))
        ripples = np.cos(FREQUENCY * x).mean(axis=-1)
        # −exp(…) + constant, by expm1: exact near the minimum, where the plain form leaves a rounding error.
        total: Values = -DEPTH * np.expm1(-DECAY * radius) - math.e * np.expm1(ripples - 1)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        radius, funnel, ripples = self._parts(x)
        along = DEPTH * DECAY / self.dimension * funnel / radius
        result: Points = along * x + ripples * (FREQUENCY / self.dimension) * np.sin(FREQUENCY * x)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        radius, funnel, ripples = self._parts(x)
        along = DEPTH * DECAY / self.dimension * funnel / radius
        # As the points move outwards, `along` falls by this times x · dx.
        fall = -along * (DECAY + 1 / radius) / (radius * self.dimension)
        sines = FREQUENCY / self.dimension * np.sin(FREQUENCY * x)
        result: Matrices = fall[..., None] * (x[..., :, None] * x[..., None, :])
        result -= ripples[..., None] * (sines[..., :, None] * sines[..., None, :])
        i = np.arange(self.dimension)
        result[..., i, i] += along + ripples * (FREQUENCY**2 / self.dimension) * np.cos(FREQUENCY * x)
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix: it is a diagonal and two products of a vector."""
        x, v = np.broadcast_arrays(x, v)
        radius, funnel, ripples = self._parts(x)
        along = DEPTH * DECAY / self.dimension * funnel / radius
        fall = -along * (DECAY + 1 / radius) / (radius * self.dimension)
        sines = FREQUENCY / self.dimension * np.sin(FREQUENCY * x)
        product: Points = (along + ripples * (FREQUENCY**2 / self.dimension) * np.cos(FREQUENCY * x)) * v
        product += fall * (x * v).sum(axis=-1, keepdims=True) * x
        product -= ripples * (sines * v).sum(axis=-1, keepdims=True) * sines
        return product

    @staticmethod
    def _parts(x: Points) -> tuple[Points, Points, Points]:
        """Radius (infinite at the origin, so that dividing by it gives 0), exp(−0.2 r), exp(mean cos); last axis 1."""
        radius = np.sqrt((x * x).mean(axis=-1, keepdims=True))
        divisor = np.where(radius == 0, np.inf, radius)
        ripples = np.exp(np.cos(FREQUENCY * x).mean(axis=-1, keepdims=True))
        return divisor, np.exp(-DECAY * radius), ripples


FUNCTION = Ackley
