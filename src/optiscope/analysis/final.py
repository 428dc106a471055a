"""What a run's final value is: one definition for tables, figures, sentences and the command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optiscope.runs import Series

FINAL = "mean over the last twentieth of the values"
"""The definition in words, for captions."""
_SHARE = 0.05


def final_window(rows: int) -> int:
    """How many values the final value of a series with so many rows is the mean of: a twentieth, at least one."""
    return max(1, round(_SHARE * rows))


def final_value(series: Series) -> float:
    """Mean over the last twentieth of a one-dimensional series; NaN when one is not finite, or without any."""
    last = series.values[-final_window(len(series)) :]
    return float(last.mean()) if len(last) and np.isfinite(last).all() else math.nan
