"""Michalewicz' function: steep ravines that cross, and flat land between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64

from optiscope.objectives import Points
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.separable import SeparableFunction

POWER = 20
"""Of the sine that makes the ravines: the higher, the steeper they are. 2m in the source, with m = 10."""


@dataclass(frozen=True, kw_only=True)
class Michalewicz(SeparableFunction):
    """−Σᵢ sin xᵢ · sin²⁰((i + 1) xᵢ² / π)."""

    name: ClassVar[str] = "michalewicz"
    title: ClassVar[str] = "Michalewicz"
    formula: ClassVar[str] = "−Σᵢ sin xᵢ · sin²⁰((i + 1) xᵢ² / π)"
    source: ClassVar[str] = (
        "Z. Michalewicz, Genetic algorithms + data structures = evolution programs, 1992. The coordinates are "
        "independent: the best of the minima along each, by Newton's method from the top of every ravine."
    )

    dimension: int = 2
    """Number of coordinates, at least 1."""

    def __post_init__(self) -> None:
        require_dimension(self.dimension, least=1, title=self.title)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[0, π] along each coordinate."""
        return np.tile([0.0, np.pi], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(1.9, 1.9, …)."""
        return np.full(self.dimension, 1.9)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """Near (2.2029, 1.5708, 1.2850, 1.9231, …)."""
        return _minimum_point(self.dimension)[np.newaxis].copy()

    @property
    def minimum(self) -> float:
        """−1.8013… in two dimensions; about −1 for each further one."""
        return float(self.terms(_minimum_point(self.dimension)).sum())

    def terms(self, x: Points) -> Points:
        """−sin xᵢ · sin²⁰((i + 1) xᵢ² / π)."""
        terms: Points = -np.sin(x) * np.sin(self._angle(x)) ** POWER
        return terms

    def slopes(self, x: Points) -> Points:
        """The derivatives of the terms."""
        ravine, first, _ = self._ravine(x)
        slopes: Points = -(np.cos(x) * ravine + np.sin(x) * first)
        return slopes

    def curvatures(self, x: Points) -> Points:
        """The second derivatives of the terms."""
        ravine, first, second = self._ravine(x)
        curvatures: Points = -(2 * np.cos(x) * first + np.sin(x) * (second - ravine))
        return curvatures

    def _number(self, x: Points) -> Points:
        return np.arange(1, x.shape[-1] + 1, dtype=x.dtype)

    def _angle(self, x: Points) -> Points:
        angle: Points = self._number(x) * x * x / np.pi
        return angle

    def _ravine(self, x: Points) -> tuple[Points, Points, Points]:
        """sin²⁰ of the angle, and its first two derivatives by x."""
        angle = self._angle(x)
        turn = 2 * self._number(x) * x / np.pi
        sine, cosine = np.sin(angle), np.cos(angle)
        low = sine ** (POWER - 2)
        second = (POWER - 1) * cosine**2 * turn**2 - sine**2 * turn**2 + sine * cosine * (2 * self._number(x) / np.pi)
        return low * sine**2, POWER * low * sine * cosine * turn, POWER * low * second


@lru_cache(maxsize=64)
def _minimum_point(dimension: int) -> Float64[np.ndarray, " parameters"]:
    """The best point along each coordinate."""
    best = []
    for number in range(1, dimension + 1):
        # The ravines of coordinate `number` − 1, one after the other; the others are given a dummy value.
        tops = np.pi * np.sqrt((np.arange(number) + 0.5) / number)
        x = np.ones((number, dimension))
        line = Michalewicz(dimension=dimension)
        x[:, number - 1] = tops
        for _ in range(12):
            slope, curvature = line.slopes(x)[:, number - 1], line.curvatures(x)[:, number - 1]
            x[:, number - 1] -= slope / curvature
        best.append(float(x[np.argmin(line.terms(x)[:, number - 1]), number - 1]))
    return np.array(best)


FUNCTION = Michalewicz
