"""The value that runs are timed to: how it is chosen, and when each run reached it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from optiscope.analysis.final import final_window

if TYPE_CHECKING:
    from optiscope.runs import Series


def worst_final(series: Sequence[Series], finals: Float[np.ndarray, " runs"], sign: float) -> float:
    """The worst final value that no run has reached at its very start; NaN when there is none.

    `sign` is 1 when small values are good and -1 when large ones are. A run that ends worse than others begin would
    otherwise set a target that needs no training.
    """
    starts = [means[0] for one in series if len(means := _running_means(one)) and math.isfinite(means[0])]
    candidates = sorted((float(final) for final in finals if math.isfinite(final)), key=lambda final: -sign * final)
    return next((aim for aim in candidates if not any(_good(start, aim, sign) for start in starts)), math.nan)


def reached(series: Series, target: float, sign: float) -> tuple[float, float, bool]:
    """When the mean over as many rows as the final value takes is first as good as `target`.

    Returns:
        The step, the seconds, and whether that is so from the first such mean on; NaN, NaN and False when it never is.
    """
    means = _running_means(series)
    good = _good(means, target, sign)
    if not good.any():
        return math.nan, math.nan, False
    place = int(np.argmax(good))
    row = place + final_window(len(series)) - 1
    return float(series.steps[row]), float(series.seconds[row]), place == 0


def _running_means(series: Series) -> Float[np.ndarray, " means"]:
    width = final_window(len(series))
    if len(series) < width:
        return np.empty(0)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.lib.stride_tricks.sliding_window_view(series.values, width).mean(axis=1))


def _good(means: Float[np.ndarray, " means"] | float, target: float, sign: float) -> np.ndarray:
    # The run that defines the target must not miss it by the rounding of another order of summation.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(sign * np.asarray(means) <= sign * target + 1e-12 * abs(target))
