"""Logistic regression on real data that ships with scikit-learn."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64, Int64

from optiscope.errors import ArgumentError, MissingDependency, UnknownName
from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Matrices
from optiscope.problems.functions.mini_batches import MiniBatchFunction
from optiscope.problems.random_stream import generator_at

_COLUMNS: Mapping[str, int] = {"breast_cancer": 30, "iris": 4, "wine": 13}
"""The data sets, and their numbers of features."""
_SAMPLES: Mapping[str, int] = {"breast_cancer": 569, "iris": 150, "wine": 178}


@dataclass(frozen=True, kw_only=True)
class LogisticRegression(MiniBatchFunction):
    """mean ln(1 + exp(−tᵢ (w·aᵢ + b))) + ½ λ |w|². The point is (w₀, …, b).

    The features aᵢ are standardised (mean 0, variance 1); tᵢ = 1 for the class with number 1 and −1 for the others:
    benign tumours, irises of the species versicolor, wines of the second grower. Convex, with one minimum.

    `value`, `gradient` and `hessian` are those of all samples. With a `batch_size` below the number of samples the
    `stochastic_gradient` is that of a mini-batch: each seed shuffles the samples anew in every epoch. The last
    mini-batch of an epoch may be short. The data are loaded when they are first needed.

    Raises `MissingDependency` without scikit-learn.
    """

    name: ClassVar[str] = "logistic_regression"
    title: ClassVar[str] = "Logistic regression"
    formula: ClassVar[str] = "mean ln(1 + exp(−tᵢ (w·aᵢ + b))) + ½ λ |w|²"
    source: ClassVar[str] = (
        "D. R. Cox, The regression analysis of binary sequences, 1958; data of W. N. Street, W. H. Wolberg and O. L. "
        "Mangasarian (1993), R. A. Fisher (1936), M. Forina (1988). The minimum by Newton's method."
    )

    data: str = "breast_cancer"
    """"breast_cancer" (569 samples, 31 parameters), "iris" (150, 5) or "wine" (178, 14)."""
    penalty: float = 0.01
    """λ > 0. The bias bears none."""
    batch_size: int | None = None
    """Samples in a mini-batch. None: all, so that nothing is random."""

    def __post_init__(self) -> None:
        if self.data not in _COLUMNS:
            raise UnknownName.among(self.data, _COLUMNS, kind="data set for logistic regression")
        if not (np.isfinite(self.penalty) and self.penalty > 0):
            raise ArgumentError(
                "The penalty is finite and positive: without it classes that can be separated have no minimum. "
                f"Received: penalty={self.penalty!r}."
            )
        samples = _SAMPLES[self.data]
        if self.batch_size is not None and not 1 <= self.batch_size <= samples:
            raise ArgumentError(
                f"A mini-batch has between 1 and all {samples} samples. Received: batch_size={self.batch_size!r}."
            )
        if importlib.util.find_spec("sklearn") is None:
            raise MissingDependency.of("scikit-learn", purpose="The data of the logistic regression", extra="demo")

    @property
    def dimension(self) -> int:
        """One weight for each feature, and the bias."""
        return _COLUMNS[self.data] + 1

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """[−3, 3] along each coordinate."""
        return np.tile([-3.0, 3.0], (self.dimension, 1))

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """The origin: every sample is as likely of one class as of the other."""
        return np.zeros(self.dimension)

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The only one."""
        return _minimum_point(self.data, self.penalty)[np.newaxis].copy()

    @property
    def minimum(self) -> float:
        """The loss there."""
        return float(self.value(_minimum_point(self.data, self.penalty)))

    @property
    def batches(self) -> int:
        """Mini-batches in an epoch."""
        return -(-_SAMPLES[self.data] // (self.batch_size or _SAMPLES[self.data]))

    def value(self, x: Points) -> Values:
        """The loss over all samples at each point."""
        return self._value_of(x, _signed_samples(self.data))

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point, over all samples."""
        return self._gradient_of(x, _signed_samples(self.data))

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        samples = _signed_samples(self.data)
        matrix = samples.astype(x.dtype)
        spread = self._spread(x)
        weighted = np.ascontiguousarray(spread[..., np.newaxis, :] * matrix.T)
        result: Matrices = weighted @ matrix / x.dtype.type(len(samples))
        result = (result + np.swapaxes(result, -1, -2)) / 2
        i = np.arange(self.dimension - 1)
        result[..., i, i] += self._penalty(x)
        return result

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point, without making the matrix."""
        samples = _signed_samples(self.data)
        along = self._spread(x) * self._margins(v, samples)
        result = np.empty_like(x, shape=np.broadcast_shapes(x.shape, v.shape))
        np.matmul(along, samples.astype(x.dtype), out=result)
        result /= x.dtype.type(len(samples))
        result[..., :-1] += self._penalty(x) * v[..., :-1]
        return result

    @property
    def depends_on_seed(self) -> bool:
        """With mini-batches, whose order is drawn anew in each epoch."""
        return self.batches > 1

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """The gradient of the mini-batch that each seed has at that step."""
        if self.batches == 1:
            return self.gradient(x)
        samples = _signed_samples(self.data)
        spread_seeds = np.broadcast_to(np.asarray(seeds), x.shape[:-1])
        unique, positions = np.unique(spread_seeds, return_inverse=True)
        if len(unique) == 1:
            return self._gradient_of(x, samples[self.batch(seed=int(unique[0]), step=step)])
        result = np.empty_like(x)
        for i, seed in enumerate(unique):
            rows = positions.reshape(x.shape[:-1]) == i
            result[rows] = self._gradient_of(x[rows], samples[self.batch(seed=int(seed), step=step)])
        return result

    def batch_value(self, x: Points, *, step: int, seed: int) -> Values:
        """The loss over the mini-batch that `seed` has at that step, with the penalty."""
        return self._value_of(x, _signed_samples(self.data)[self.batch(seed=seed, step=step)])

    def batch(self, *, seed: int, step: int) -> Int64[np.ndarray, " samples"]:
        """The samples in the mini-batch of that seed at that step."""
        size = self.batch_size or _SAMPLES[self.data]
        epoch, place = divmod(step, self.batches)
        return _order(_SAMPLES[self.data], seed, epoch)[place * size : (place + 1) * size]

    def _value_of(self, x: Points, samples: Float64[np.ndarray, "samples parameters"]) -> Values:
        weights = x[..., :-1]
        losses = np.logaddexp(0, -self._margins(x, samples)).mean(axis=-1)
        total: Values = losses + self._penalty(x) / 2 * (weights * weights).sum(axis=-1)
        return total

    def _gradient_of(self, x: Points, samples: Float64[np.ndarray, "samples parameters"]) -> Points:
        doubts = 1 / (1 + np.exp(self._margins(x, samples)))
        # Into `empty_like`, which keeps the memory order of x: batches are stored coordinate by coordinate.
        result = np.empty_like(x)
        np.matmul(doubts, samples.astype(x.dtype), out=result)
        result /= x.dtype.type(-len(samples))
        result[..., :-1] += self._penalty(x) * x[..., :-1]
        return result

    def _penalty(self, x: Points) -> np.floating:
        """λ in the precision of x."""
        penalty: np.floating = x.dtype.type(self.penalty)
        return penalty

    def _spread(self, x: Points) -> Float[np.ndarray, "*batch samples"]:
        """p (1 − p) of each sample, with p its probability."""
        margins = self._margins(x, _signed_samples(self.data))
        spread: Float[np.ndarray, "*batch samples"] = 1 / (1 + np.exp(margins)) / (1 + np.exp(-margins))
        return spread

    @staticmethod
    def _margins(x: Points, samples: Float64[np.ndarray, "samples parameters"]) -> Float[np.ndarray, "*batch samples"]:
        """tᵢ (w·aᵢ + b)."""
        margins: Float[np.ndarray, "*batch samples"] = x @ samples.T.astype(x.dtype)
        return margins


@lru_cache(maxsize=8)
def _signed_samples(data: str) -> Float64[np.ndarray, "samples parameters"]:
    """tᵢ (aᵢ, 1) as rows."""
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise MissingDependency.of(
            "scikit-learn", purpose="The data of the logistic regression", extra="demo"
        ) from error
    features, labels = getattr(datasets, f"load_{data}")(return_X_y=True)
    standardised = (features - features.mean(axis=0)) / features.std(axis=0)
    signs = np.where(np.asarray(labels) == 1, 1.0, -1.0)
    signed: Float64[np.ndarray, "samples parameters"] = (
        np.column_stack([standardised, np.ones(len(signs))]) * signs[:, np.newaxis]
    )
    signed.flags.writeable = False
    return signed


@lru_cache(maxsize=64)
def _minimum_point(data: str, penalty: float) -> Float64[np.ndarray, " parameters"]:
    """By Newton's method with halved steps; as the loss is strictly convex, it finds the only minimum."""
    problem = LogisticRegression(data=data, penalty=penalty)
    x = problem.start
    for _ in range(100):
        step = np.linalg.solve(problem.hessian(x), problem.gradient(x))
        share = 1.0
        while problem.value(x - share * step) > problem.value(x) + 1e-12 and share > 1e-6:
            share /= 2
        x = x - share * step
        if np.abs(step).max() <= 1e-14 * (1 + np.abs(x).max()):
            break
    return x


@lru_cache(maxsize=256)
def _order(samples: int, seed: int, epoch: int) -> Int64[np.ndarray, " samples"]:
    """The samples in the order in which a seed goes through them in an epoch."""
    order: Int64[np.ndarray, " samples"] = generator_at(seed, step=epoch, stream=0).permutation(samples)
    order.flags.writeable = False
    return order


FUNCTION = LogisticRegression
