"""Quadratics of any spectrum, along the axes or turned against them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.dimension import require_dimension
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True)
class Quadratic(Function):
    """½ xᵀ H x, with H = Q diag(λ) Qᵀ.

    The eigenvalues λ are given, or run in equal ratios from 1 to `condition`. Q is 1, or a random rotation. Negative
    eigenvalues make a saddle, zero ones a trough.
    """

    name: ClassVar[str] = "quadratic"
    title: ClassVar[str] = "Quadratic"
    formula: ClassVar[str] = "½ xᵀ H x"
    source: ClassVar[str] = (
        "Textbooks, such as J. Nocedal and S. J. Wright, Numerical optimization, 2006. Without negative eigenvalues "
        "the minimum is at the origin; with a zero one it is not the only."
    )

    eigenvalues: tuple[float, ...] | None = None
    """λ. When given, `condition` has no meaning, and `dimension` is their number."""
    condition: float = 100.0
    """The largest eigenvalue; the smallest is 1."""
    dimension: int = 2
    """Number of coordinates, at least 1."""
    rotation: int | None = None
    """Seed of the random rotation Q. None: the eigenvectors lie along the axes."""

    def __post_init__(self) -> None:
        if self.eigenvalues is not None:
            given = np.atleast_1d(np.asarray(self.eigenvalues, dtype=object))
            if given.ndim != 1 or len(given) == 0 or not all(_is_finite(one) for one in given):
                raise ArgumentError(f"Eigenvalues are some finite numbers. Received: eigenvalues={self.eigenvalues!r}.")
            if self.dimension not in (2, len(given)):
                raise ArgumentError(
                    "The dimension is the number of eigenvalues; leave one of the two out. "
                    f"Received: {len(given)} eigenvalues and dimension={self.dimension!r}."
                )
            object.__setattr__(self, "eigenvalues", tuple(float(one) for one in given))
            object.__setattr__(self, "dimension", len(given))
        require_dimension(self.dimension, least=1, title=self.title)
        if not (_is_finite(self.condition) and self.condition >= 1):
            raise ArgumentError(
                f"The condition number is finite and at least 1. Received: condition={self.condition!r}."
            )

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−5, 5] along each coordinate."""
        return np.tile([-5.0, 5.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """(4, 3, 4, 3, …)."""
        return np.resize([4.0, 3.0], self.dimension)

    @property
    def spectrum(self) -> Float64[np.ndarray, " parameters"]:
        """λ."""
        if self.eigenvalues is not None:
            return np.array(self.eigenvalues)
        return np.geomspace(1.0, self.condition, self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The origin, unless there is a negative eigenvalue."""
        return np.zeros((int(self.spectrum.min() >= 0), self.dimension))

    @property
    def minimum(self) -> float:
        """0, or −∞ with a negative eigenvalue."""
        return 0.0 if self.spectrum.min() >= 0 else -np.inf

    def value(self, x: Points) -> Values:
        """f at each point."""
        total: Values = (x * self.gradient(x)).sum(axis=-1) / 2
        return total

    def gradient(self, x: Points) -> Points:
        """H x at each point."""
        return self.hessian_vector_product(x, x)

    def hessian(self, x: Points) -> Matrices:
        """H: the same everywhere."""
        result = np.empty((*x.shape, self.dimension), dtype=x.dtype)
        result[...] = self._matrix
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """H v at each point."""
        result = np.empty_like(x, shape=np.broadcast_shapes(x.shape, v.shape))
        if self.rotation is None:
            result[...] = v * self.spectrum.astype(x.dtype)
        else:
            np.matmul(v, self._matrix.astype(x.dtype), out=result)
        return result

    @cached_property
    def _matrix(self) -> Float64[np.ndarray, "parameters parameters"]:
        if self.rotation is None:
            return np.diag(self.spectrum)
        # The signs of the columns of Q, and whether it mirrors, do not matter here.
        gaussian = np.random.default_rng(self.rotation).standard_normal((self.dimension, self.dimension))
        vectors = np.linalg.qr(gaussian)[0]
        matrix = (vectors * self.spectrum) @ vectors.T
        symmetric: Float64[np.ndarray, "parameters parameters"] = (matrix + matrix.T) / 2
        return symmetric


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float | np.number) and bool(np.isfinite(number))


FUNCTION = Quadratic
