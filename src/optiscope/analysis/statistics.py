"""Means over a few repetitions, how sure they are, and whether two of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean and the interval in which the true mean lies with the stated confidence."""

    mean: float
    """Mean of the finite values; NaN when there is none."""
    low: float
    """Lower end; NaN when fewer than two values are finite, for then nothing is known about the spread."""
    high: float
    """Upper end; NaN like `low`."""
    minimum: float
    """Smallest finite value."""
    maximum: float
    """Largest finite value."""
    count: int
    """Finite values."""
    nonfinite: int
    """Values left out of the mean because they are NaN or infinite."""
    confidence: float = 0.95
    """Probability with which such an interval covers the true mean, for normally distributed values."""

    def __str__(self) -> str:
        if self.count == 0:
            return "no finite value"
        if self.count == 1:
            return f"{self.mean:.4g} (n = 1)"
        half = (self.high - self.low) / 2
        if not (math.isfinite(half) and half > 0.0):
            return f"{self.mean:.4g} ± {half:.2g} (n = {self.count})"
        # As many decimals as the uncertainty has with two digits; in powers of ten where that is shorter.
        decimals = 1 - math.floor(math.log10(half))
        if not 0 <= decimals <= 6 or abs(self.mean) >= 1e6:
            return f"{self.mean:.3g} ± {half:.2g} (n = {self.count})"
        return f"{self.mean:.{decimals}f} ± {half:.{decimals}f} (n = {self.count})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """`Interval` for every column of an array at once."""

    mean: Float[np.ndarray, " columns"]
    """Mean of the finite values of each column; NaN where there is none."""
    low: Float[np.ndarray, " columns"]
    """Lower end of the interval of the mean; NaN where fewer than two values are finite."""
    high: Float[np.ndarray, " columns"]
    """Upper end of the interval of the mean; NaN like `low`."""
    minimum: Float[np.ndarray, " columns"]
    """Smallest finite value of each column; NaN where there is none."""
    maximum: Float[np.ndarray, " columns"]
    """Largest finite value of each column; NaN where there is none."""
    count: Int64[np.ndarray, " columns"]
    """Finite values in each column."""


@dataclass(frozen=True, kw_only=True)
class Welch:
    """Difference of two means whose spreads need not be equal."""

    difference: float
    """Mean of the second less mean of the first."""
    low: float
    """Lower end of the interval of the difference; NaN when either side has fewer than two values."""
    high: float
    """Upper end of the interval of the difference; NaN like `low`."""
    p_value: float
    """Probability of a difference at least this large if the true means were equal; NaN like `low`."""
    degrees: float
    """Degrees of freedom by Welch and Satterthwaite."""


def student_quantile(probability: float, degrees: ArrayLike) -> Float[np.ndarray, "..."]:
    """The t with P(T ≤ t) = `probability`, for Student's T with `degrees` of freedom (any shape, > 0)."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.asarray(degrees, dtype=np.float64), probability), dtype=np.float64)


def mean_band(values: Float[np.ndarray, "rows columns"], *, confidence: float = 0.95) -> Band:
    """Mean and interval of each column: mean ± t · s / √n over its n finite values, s² with n − 1.

    Source: Student, "The probable error of a mean", Biometrika 6 (1908).
    """
    _check(confidence)
    finite = np.isfinite(values)
    count = finite.sum(axis=0)
    # Divergence shows values near the largest double: sums may overflow to infinity, and that is their honest mean.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        mean = np.where(finite, values, 0.0).sum(axis=0) / count
        deviations = np.where(finite, values - mean, 0.0)
        error = np.sqrt((deviations**2).sum(axis=0) / (count - 1) / count)
        spread = np.where(count > 1, student_quantile((1 + confidence) / 2, np.maximum(count - 1, 1)) * error, np.nan)
        low, high = mean - spread, mean + spread
    empty = count == 0
    return Band(
        mean=np.where(empty, np.nan, mean),
        low=low,
        high=high,
        minimum=np.where(empty, np.nan, np.where(finite, values, np.inf).min(axis=0, initial=np.inf)),
        maximum=np.where(empty, np.nan, np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf)),
        count=count.astype(np.int64),
    )


def mean_interval(values: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of the finite `values` and its interval. Differs from `mean_band` in taking one sample, not one a column."""
    sample = np.asarray(values, dtype=np.float64).ravel()
    band = mean_band(sample[:, None], confidence=confidence)
    count = int(band.count[0])
    return Interval(
        mean=float(band.mean[0]),
        low=float(band.low[0]),
        high=float(band.high[0]),
        minimum=float(band.minimum[0]),
        maximum=float(band.maximum[0]),
        count=count,
        nonfinite=len(sample) - count,
        confidence=confidence,
    )


def welch(first: ArrayLike, second: ArrayLike, *, confidence: float = 0.95) -> Welch:
    """Welch's t-test of the finite values of two samples.

    t = (m₂ − m₁) / √(s₁²/n₁ + s₂²/n₂). When neither sample varies at all the test has no noise to compare with:
    equal means then give p = 1 and different ones p = 0.

    Source: B. L. Welch, "The generalization of Student's problem", Biometrika 34 (1947).
    """
    from scipy.special import stdtr

    _check(confidence)
    samples = [np.asarray(side, dtype=np.float64).ravel() for side in (first, second)]
    a, b = (side[np.isfinite(side)] for side in samples)
    if len(a) == 0 or len(b) == 0:
        return Welch(difference=math.nan, low=math.nan, high=math.nan, p_value=math.nan, degrees=math.nan)
    difference = float(b.mean() - a.mean())
    if len(a) < 2 or len(b) < 2:
        return Welch(difference=difference, low=math.nan, high=math.nan, p_value=math.nan, degrees=math.nan)
    parts = [float(side.var(ddof=1)) / len(side) for side in (a, b)]
    variance = sum(parts)
    if variance == 0.0:
        equal = difference == 0.0
        return Welch(
            difference=difference, low=difference, high=difference, p_value=1.0 if equal else 0.0, degrees=math.inf
        )
    shares = [part / variance for part in parts]
    degrees = 1.0 / sum(share**2 / (len(side) - 1) for share, side in zip(shares, (a, b), strict=True))
    error = math.sqrt(variance)
    spread = float(student_quantile((1 + confidence) / 2, degrees)) * error
    return Welch(
        difference=difference,
        low=difference - spread,
        high=difference + spread,
        p_value=float(2 * stdtr(degrees, -abs(difference) / error)),
        degrees=degrees,
    )


def paired_probability(differences: ArrayLike) -> float:
    """Probability of a mean difference at least this large if it were zero: Student's t-test of paired samples.

    t = mean / (s / √n) with n − 1 degrees of freedom. NaN with fewer than two differences. Differs from `welch` in
    taking the differences of pairs, so that what both sides of a pair share does not count as noise.
    Source: Student, "The probable error of a mean", Biometrika 6 (1908).
    """
    from scipy.special import stdtr

    sample = np.asarray(differences, dtype=np.float64).ravel()
    if len(sample) < 2:
        return math.nan
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    mean = float(sample.mean())
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2 * stdtr(len(sample) - 1, -abs(mean) / error))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust `p_values` for having asked several questions at once; NaN stays NaN and counts as no question.

    The i-th smallest of m becomes max over j ≤ i of min(1, (m − j) p_j), j from 0.
    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
    """
    order = sorted((index for index, p in enumerate(p_values) if not math.isnan(p)), key=lambda index: p_values[index])
    adjusted = list(p_values)
    floor = 0.0
    for rank, index in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = floor
    return tuple(adjusted)


def _check(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ArgumentError(f"A confidence lies between 0 and 1, such as 0.95. Received: {confidence!r}.")
