"""Noise on the gradient: Gaussian of a given covariance, or with heavy tails."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError
from optiscope.objectives import Points
from optiscope.problems.modifiers.modifier import Modifier
from optiscope.problems.random_stream import draw_for


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientNoise(Modifier):
    """g(x) + n with n ~ N(0, C); or n ~ multivariate Student-t with scale matrix C, when degrees of freedom are given.

    The noise depends on seed and step alone. Value, gradient, Hessian and minima are those of the function without
    noise; only `stochastic_gradient` has it.

    Student's t is n = L z √(ν/u) with z ~ N(0, I), u ~ χ²(ν) and C = L Lᵀ. For ν > 2 its covariance is C ν/(ν−2); for
    ν ≤ 2 it has no variance, for ν ≤ 1 (1 is Cauchy's distribution) not even a mean. At ν = ∞ it is the Gaussian.

    Raises `ArgumentError` for a covariance of the wrong shape, or that is none.
    """

    change: ClassVar[str] = "noise"

    covariance: ArrayLike = 1.0
    """C: one variance for all coordinates, or one for each, or a matrix."""
    degrees_of_freedom: float | None = None
    """ν > 0: the smaller, the heavier the tail. None: Gaussian."""
    root: Float64[np.ndarray, "parameters parameters"] = field(init=False, repr=False)
    """L, with C = L Lᵀ; worked out from `covariance`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        freedom = self.degrees_of_freedom
        if freedom is not None and not freedom > 0:
            raise ArgumentError(f"Degrees of freedom are positive. Received: degrees_of_freedom={freedom!r}.")
        object.__setattr__(self, "root", _root(self.covariance, self.dimension))

    @property
    def depends_on_seed(self) -> bool:
        """Where there is any noise, or `base` depends on it."""
        return bool(self.root.any()) or self.base.depends_on_seed

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """What an optimizer sees of `base`, and the noise of that step."""
        noise = self.noise(step=step, seeds=seeds)
        gradient: Points = self.base.stochastic_gradient(x, step=step, seeds=seeds) + noise.astype(x.dtype)
        return gradient

    def noise(self, *, step: int, seeds: Int64[np.ndarray, "*batch"]) -> Float64[np.ndarray, "*batch parameters"]:
        """The noise of each seed at that step."""
        return draw_for(seeds, self._draw, step=step, stream=self.depth)

    def _draw(self, generator: np.random.Generator) -> Float64[np.ndarray, " parameters"]:
        normal = generator.standard_normal(self.dimension)
        noise: Float64[np.ndarray, " parameters"] = (
            self._variances_root * normal if self._diagonal else self.root @ normal
        )
        freedom = self.degrees_of_freedom
        if freedom is None or np.isinf(freedom):
            return noise
        heavy: Float64[np.ndarray, " parameters"] = noise * np.sqrt(freedom / generator.chisquare(freedom))
        return heavy

    @cached_property
    def _diagonal(self) -> bool:
        return bool(np.array_equal(self.root, np.diag(np.diag(self.root))))

    @cached_property
    def _variances_root(self) -> Float64[np.ndarray, " parameters"]:
        return np.diag(self.root).copy()


def _root(covariance: ArrayLike, dimension: int) -> Float64[np.ndarray, "parameters parameters"]:
    """L with L Lᵀ = C, for a semidefinite C too."""
    try:
        given = np.asarray(covariance, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The covariance is made of numbers. Received: covariance={covariance!r}.") from error
    if given.shape not in ((), (dimension,), (dimension, dimension)):
        raise ArgumentError(
            f"The covariance of a gradient of {dimension} coordinates is one variance, a vector of {dimension} "
            f"variances or a {dimension}×{dimension} matrix. Received: shape {given.shape}."
        )
    if not np.isfinite(given).all():
        raise ArgumentError(f"The covariance is finite. Received: {given.tolist()!r}.")
    if given.ndim < 2:
        if (given < 0).any():
            raise ArgumentError(f"Variances are not negative. Received: {given.tolist()!r}.")
        return np.diag(np.sqrt(np.broadcast_to(given, dimension)))
    scale = float(np.abs(given).max())
    if not np.allclose(given, given.T, rtol=0, atol=1e-10 * scale):
        raise ArgumentError(f"A covariance matrix is symmetric. Received: {given.tolist()!r}.")
    values, vectors = np.linalg.eigh(given)
    if values[0] < -1e-10 * scale:
        raise ArgumentError(
            "A covariance matrix is positive semidefinite: no direction has a negative variance. "
            f"Received: {given.tolist()!r}, with eigenvalues {values.tolist()!r}."
        )
    root: Float64[np.ndarray, "parameters parameters"] = vectors * np.sqrt(np.maximum(values, 0))
    return root
