"""Results as plotly figures: one file a figure, and one verb, `plot`, that chooses among them."""

from __future__ import annotations

from optiscope.figures.comparison import comparison
from optiscope.figures.curves import curves
from optiscope.figures.histogram_over_time import histogram_over_time
from optiscope.figures.layer_heatmap import layer_heatmap
from optiscope.figures.layers import layers
from optiscope.figures.learning_rate import learning_rate
from optiscope.figures.overview import overview
from optiscope.figures.path import path
from optiscope.figures.plot import plot
from optiscope.figures.run_curves import run_curves
from optiscope.figures.theme import Theme, theme_named
from optiscope.figures.update_ratio import update_ratio

__all__ = [
    "Theme",
    "comparison",
    "curves",
    "histogram_over_time",
    "layer_heatmap",
    "layers",
    "learning_rate",
    "overview",
    "path",
    "plot",
    "run_curves",
    "theme_named",
    "update_ratio",
]
