"""A linear layer fitted to a thousand made samples, in mini-batches that always come in the same order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64, Int64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Matrices
from optiscope.problems.functions.mini_batches import MiniBatchFunction

_WEIGHTS = np.array([0.5, 0.8])
"""The weights that the samples are made with."""


@dataclass(frozen=True, kw_only=True)
class LinearFit(MiniBatchFunction):
    """½ mean (z − y)² with z = w₀X₀ + w₁X₁ + b, over 1,000 samples. The point is (w₀, w₁, b).

    X ~ N(0, 1) and y = 0.5 X₀ + 0.8 X₁ + 0.01 u with u ~ U[0, 1): the noise has the mean 0.005, which b finds.

    `value`, `gradient` and `hessian` are those of all samples. `stochastic_gradient` at step k is that of mini-batch
    k mod `batches`, in the order of the samples, without shuffling: seeds change nothing. The last one is short.
    """

    name: ClassVar[str] = "linear_fit"
    title: ClassVar[str] = "Linear fit"
    formula: ClassVar[str] = "½ mean (w₀X₀ + w₁X₁ + b − y)²"
    source: ClassVar[str] = (
        "Linear regression on data that this package makes; the minimum is the least-squares solution."
    )

    samples: int = 1000
    """Number of samples, at least 4."""
    batch_size: int = 64
    """Samples in a mini-batch, all but perhaps the last."""
    noise: float = 0.01
    """What the uniform noise in y is times."""
    seed: int = 3
    """Of the samples and of the start."""
    dimension: int = field(default=3, init=False)
    """3: two weights and a bias."""

    def __post_init__(self) -> None:
        if self.samples < 4:
            raise ArgumentError(f"A linear fit needs at least 4 samples. Received: samples={self.samples!r}.")
        if not 1 <= self.batch_size <= self.samples:
            raise ArgumentError(
                f"A mini-batch has between 1 and all {self.samples} samples. Received: batch_size={self.batch_size!r}."
            )
        if not (np.isfinite(self.noise) and self.noise >= 0):
            raise ArgumentError(f"The noise is finite and not negative. Received: noise={self.noise!r}.")

    @property
    def batches(self) -> int:
        """Mini-batches in an epoch: 16 by default, fifteen of 64 samples and one of 40."""
        return -(-self.samples // self.batch_size)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−3, 3] for each weight and [−1, 1] for the bias."""
        return np.array([[-3.0, 3.0], [-3.0, 3.0], [-1.0, 1.0]])

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """Weights ~ N(0, 1), as a layer is initialised, drawn from `seed`; bias 0."""
        return np.append(self._data[2], 0.0)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The least-squares solution, near (0.5, 0.8, 0.005)."""
        return self._solution[np.newaxis].copy()

    @property
    def minimum(self) -> float:
        """Half the mean square of what least squares leaves over: about noise² / 24."""
        return 0.5 * float(np.mean(self._residuals**2))

    def value(self, x: Points) -> Values:
        """The loss over all samples at each point.

        Taylor's formula at the minimum is exact for a quadratic, and loses no digits near it.
        """
        away = x - self._solution.astype(x.dtype)
        curved = self._transformed(away, self._hessians[1])
        total: Values = 0.5 * (away * curved).sum(axis=-1) + x.dtype.type(self.minimum)
        return total

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point, over all samples."""
        return self._transformed(x - self._solution.astype(x.dtype), self._hessians[1])

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ: the same everywhere."""
        result = np.empty((*x.shape, 3), dtype=x.dtype)
        result[...] = self._hessians[1]
        return result

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """The gradient of mini-batch `step` mod `batches`, at each point."""
        del seeds
        batch = step % self.batches
        gradient = self._transformed(x - self._solution.astype(x.dtype), self._hessians[0][batch])
        gradient += self._gradients_at_solution[batch].astype(x.dtype)
        return gradient

    def batch_value(self, x: Points, *, step: int, seed: int) -> Values:
        """The loss over the mini-batch of that step, the same for every seed: what a training loop would print."""
        del seed
        samples = slice(step % self.batches * self.batch_size, (step % self.batches + 1) * self.batch_size)
        inputs, targets = self._data[0][samples].astype(x.dtype), self._data[1][samples].astype(x.dtype)
        loss: Values = 0.5 * ((x @ inputs.T - targets) ** 2).mean(axis=-1)
        return loss

    @staticmethod
    def _transformed(x: Points, matrix: Float64[np.ndarray, "3 3"]) -> Points:
        # Into `empty_like`, which keeps the memory order of x: batches are stored coordinate by coordinate.
        product: Points = np.matmul(x, matrix.astype(x.dtype), out=np.empty_like(x))
        return product

    @cached_property
    def _data(
        self,
    ) -> tuple[Float64[np.ndarray, "samples 3"], Float64[np.ndarray, " samples"], Float64[np.ndarray, "2"]]:
        """Inputs with a column of ones, targets, and the weights to start from."""
        generator = np.random.default_rng(self.seed)
        inputs = generator.standard_normal((self.samples, 2))
        targets = inputs @ _WEIGHTS + self.noise * generator.random(self.samples)
        return np.column_stack([inputs, np.ones(self.samples)]), targets, generator.standard_normal(2)

    @cached_property
    def _solution(self) -> Float64[np.ndarray, "3"]:
        inputs, targets, _ = self._data
        solution: Float64[np.ndarray, "3"] = np.linalg.lstsq(inputs, targets)[0]
        return solution

    @cached_property
    def _residuals(self) -> Float64[np.ndarray, " samples"]:
        inputs, targets, _ = self._data
        residuals: Float64[np.ndarray, " samples"] = inputs @ self._solution - targets
        return residuals

    @cached_property
    def _parts(self) -> list[slice]:
        return [slice(i, i + self.batch_size) for i in range(0, self.samples, self.batch_size)]

    @cached_property
    def _hessians(self) -> tuple[list[Float64[np.ndarray, "3 3"]], Float64[np.ndarray, "3 3"]]:
        """Of each mini-batch, and of all samples."""
        inputs = self._data[0]
        each = [inputs[part].T @ inputs[part] / len(inputs[part]) for part in self._parts]
        return each, inputs.T @ inputs / self.samples

    @cached_property
    def _gradients_at_solution(self) -> list[Float64[np.ndarray, "3"]]:
        """Of each mini-batch: not zero, as only the gradient of all samples vanishes there."""
        inputs = self._data[0]
        return [self._residuals[part] @ inputs[part] / len(inputs[part]) for part in self._parts]


FUNCTION = LinearFit
