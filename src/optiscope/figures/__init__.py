"""Results as plotly figures: one file a figure, and one verb, `plot`, that chooses among them."""

from __future__ import annotations

from optiscope.figures.basin_map import basin_map
from optiscope.figures.comparison import comparison
from optiscope.figures.curves import curves
from optiscope.figures.histogram_over_time import histogram_over_time
from optiscope.figures.layer_heatmap import layer_heatmap
from optiscope.figures.layers import layers
from optiscope.figures.learning_rate import learning_rate
from optiscope.figures.overview import overview
from optiscope.figures.path import path
from optiscope.figures.phase_plot import phase_plot
from optiscope.figures.plot import plot
from optiscope.figures.race_contour import race_contour
from optiscope.figures.race_curves import race_curves
from optiscope.figures.race_fit import race_fit
from optiscope.figures.race_internals import race_internals
from optiscope.figures.race_surface import race_surface
from optiscope.figures.reach import reach
from optiscope.figures.run_curves import run_curves
from optiscope.figures.schedule_preview import schedule_preview
from optiscope.figures.stability_map import stability_map
from optiscope.figures.theme import Theme, theme_named
from optiscope.figures.tuning import tuning
from optiscope.figures.update_ratio import update_ratio

__all__ = [
    "Theme",
    "basin_map",
    "comparison",
    "curves",
    "histogram_over_time",
    "layer_heatmap",
    "layers",
    "learning_rate",
    "overview",
    "path",
    "phase_plot",
    "plot",
    "race_contour",
    "race_curves",
    "race_fit",
    "race_internals",
    "race_surface",
    "reach",
    "run_curves",
    "schedule_preview",
    "stability_map",
    "theme_named",
    "tuning",
    "update_ratio",
]
