"""Rotation: the same landscape, turned against the axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError
from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices
from optiscope.problems.modifiers.placement import Placement


@dataclass(frozen=True, kw_only=True, eq=False)
class Rotation(Placement):
    """f_new(y) = f(Qᵀ y) with an orthogonal Q: a minimum at m moves to Q m. The origin stays.

    Gradient descent and momentum do not notice (their paths turn along); rules that scale each coordinate (Adam,
    AdaGrad) lose their hold on valleys that are no longer along an axis. Give one of `degrees` (in two dimensions),
    `matrix` and `seed`; without any it is the seed 0.
    """

    change: ClassVar[str] = "rotation"

    degrees: float | None = None
    """Angle, counter-clockwise, of a two-dimensional function."""
    matrix: ArrayLike | None = None
    """Q, orthogonal: Q Qᵀ = 1. It may mirror."""
    seed: int | None = None
    """Of a random rotation: every one is equally likely."""
    _matrix: Float64[np.ndarray, "parameters parameters"] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(one is not None for one in (self.degrees, self.matrix, self.seed)) > 1:
            raise ArgumentError(
                "A rotation is given by one of degrees, matrix and seed. "
                f"Received: degrees={self.degrees!r}, matrix={self.matrix!r}, seed={self.seed!r}."
            )
        object.__setattr__(self, "_matrix", self._chosen())

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """The smallest box along the axes that holds the turned domain."""
        low, high = self.base.bounds.T
        centre, reach = self._matrix @ ((low + high) / 2), np.abs(self._matrix) @ ((high - low) / 2)
        return np.stack([centre - reach, centre + reach], axis=-1)

    def there(self, x: Points) -> Points:
        """Q x."""
        return _times(x, self._matrix.T)

    def back(self, y: Points) -> Points:
        """Qᵀ y."""
        return _times(y, self._matrix)

    def back_gradient(self, gradient: Points) -> Points:
        """Q g."""
        return _times(gradient, self._matrix.T)

    def back_hessian(self, hessian: Matrices) -> Matrices:
        """Q H Qᵀ."""
        turn = self._matrix.astype(hessian.dtype)
        turned: Matrices = turn @ hessian @ turn.T
        symmetric: Matrices = (turned + np.swapaxes(turned, -1, -2)) / 2
        return symmetric

    def _chosen(self) -> Float64[np.ndarray, "parameters parameters"]:
        if self.degrees is not None:
            if self.dimension != 2 or not np.isfinite(self.degrees):
                raise ArgumentError(
                    "An angle in degrees turns a function of two coordinates; for others give a matrix or a seed. "
                    f"Received: degrees={self.degrees!r} for {self.dimension} coordinates."
                )
            angle = np.deg2rad(self.degrees)
            return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if self.matrix is not None:
            return _orthogonal(self.matrix, self.dimension)
        return random_rotation(self.dimension, seed=self.seed or 0)


def random_rotation(dimension: int, *, seed: int) -> Float64[np.ndarray, "parameters parameters"]:
    """A rotation (determinant 1) of which every one is equally likely.

    Q of the QR decomposition of a Gaussian matrix, with the signs that make the diagonal of R positive.
    Source: F. Mezzadri, How to generate random matrices from the classical compact groups, 2007.
    """
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, dimension)))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q


def _times(x: Points, matrix: Float64[np.ndarray, "parameters parameters"]) -> Points:
    # Into `empty_like`, which keeps the memory order of x: batches are stored coordinate by coordinate.
    product: Points = np.matmul(x, matrix.astype(x.dtype), out=np.empty_like(x))
    return product


def _orthogonal(given: ArrayLike, dimension: int) -> Float64[np.ndarray, "parameters parameters"]:
    try:
        matrix = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The matrix of a rotation is made of numbers. Received: {given!r}.") from error
    if matrix.shape != (dimension, dimension):
        raise ArgumentError(
            f"The matrix of a rotation of {dimension} coordinates is {dimension}×{dimension}. "
            f"Received: shape {matrix.shape}."
        )
    if not np.allclose(matrix @ matrix.T, np.eye(dimension), rtol=0, atol=1e-8):
        raise ArgumentError(
            "The rows of a rotation's matrix have length 1 and are at right angles. A matrix that stretches is made of "
            f"rotations and a scaling. Received: {matrix.tolist()}."
        )
    return matrix
