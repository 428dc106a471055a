"""Exponential smoothing of a noisy series."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError


def smooth(values: ArrayLike, factor: float, *, centred: bool = False) -> Float[np.ndarray, " rows"]:
    """Smooth `values` by an exponential moving average with bias correction.

    s_t = Σ_i f^(t−i) x_i / Σ_i f^(t−i), over the rows i ≤ t whose x_i is finite. Dividing by the sum of the weights
    is what Adam calls bias correction: the first value is x_0, not (1 − f) x_0. A row that is not finite has no say
    in its neighbours and is NaN in the result, so that a line drawn through it has a gap there.

    Args:
        values: one number a row.
        factor: f, weight of the past; 0 ≤ f < 1. 0 changes nothing, 0.99 averages over about a hundred rows.
        centred: average over both sides with weights f^|t−i|. The result does not lag behind, but looks ahead: right
            for a picture of what has been recorded, wrong for a decision during training.

    Raises:
        ArgumentError: `factor` is outside [0, 1), or `values` has more than one dimension.
    """
    raw = np.asarray(values, dtype=np.float64)
    if raw.ndim != 1:
        raise ArgumentError(f"Smoothing takes one number a row. Received values of shape {raw.shape}.")
    if not 0.0 <= factor < 1.0:
        raise ArgumentError(f"The smoothing factor must be at least 0 and less than 1. Received: {factor!r}.")
    finite = np.isfinite(raw)
    if factor == 0.0:
        return np.where(finite, raw, np.nan)
    total, weight = (
        _weighted(column, factor, centred) for column in (np.where(finite, raw, 0.0), finite.astype(np.float64))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(finite, total / weight, np.nan)


def _weighted(values: Float[np.ndarray, " rows"], factor: float, centred: bool) -> Float[np.ndarray, " rows"]:
    past = _decaying_sum(values, factor)
    return past + _decaying_sum(values[::-1], factor)[::-1] - values if centred else past


def _decaying_sum(values: Float[np.ndarray, " rows"], factor: float) -> Float[np.ndarray, " rows"]:
    """y_t = f · y_(t−1) + x_t, a block of rows at a time: within a block, y_t = f^t (y_0 f + Σ x_i f^(−i))."""
    # A block ends before f^(-i) has grown so far that it costs digits or overflows.
    block = max(1, min(len(values), int(math.log(1e6) / -math.log(factor))))
    decay = factor ** np.arange(block)
    result = np.empty_like(values)
    carried = 0.0
    for start in range(0, len(values), block):
        part = values[start : start + block]
        weights = decay[: len(part)]
        result[start : start + block] = weights * (factor * carried + np.cumsum(part / weights))
        carried = float(result[min(start + block, len(values)) - 1])
    return result
