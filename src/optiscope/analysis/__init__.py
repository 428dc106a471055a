"""Pure functions from runs to immutable results: where training went, and which runs did better.

Nothing here trains, records or draws. NumPy only.
"""

from __future__ import annotations

from optiscope.analysis.comparison import Comparison, Group, compare
from optiscope.analysis.projection import Projection, principal_components
from optiscope.analysis.random_walk import random_walk_variance
from optiscope.analysis.smoothing import smooth
from optiscope.analysis.statistics import Interval, Welch, holm, mean_interval, welch
from optiscope.analysis.trajectory import Trajectory, trajectory

__all__ = [
    "Comparison",
    "Group",
    "Interval",
    "Projection",
    "Trajectory",
    "Welch",
    "compare",
    "holm",
    "mean_interval",
    "principal_components",
    "random_walk_variance",
    "smooth",
    "trajectory",
    "welch",
]
