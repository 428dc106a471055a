"""How far each step moves the weights against their own size, with the band in which training is healthy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from optiscope.figures.colours import Colours
from optiscope.figures.curves import curves_panel
from optiscope.figures.layers import layers_panel
from optiscope.figures.panel import Panel
from optiscope.figures.theme import Theme, theme_named
from optiscope.runs.series import Series

HEALTHY = (1e-4, 1e-1)
"""Ratios that published rules call healthy: log10(‖Δθ‖/‖θ‖) from −4 to −1. A starting point, not a law."""


def update_ratio(series: Series, *, timeline: str = "step", theme: str = "light") -> go.Figure:
    """The ratio ‖Δθ‖ / ‖θ‖ of each layer, or of all parameters together, on a logarithmic axis.

    Args:
        series: run["update_ratio"] or run["update_ratio/global"].
        timeline: "step", "seconds", "epoch" or "samples".
        theme: "light" or "dark".

    Raises:
        UnknownName: no such timeline or theme.
    """
    chosen = theme_named(theme)
    panel = update_ratio_panel(series, timeline=timeline, theme=chosen)
    return panel.figure(chosen, subtitle=[f"Run {series.run_name}."] if series.run_name else [])


def update_ratio_panel(series: Series, *, timeline: str, theme: Theme, colours: Colours | None = None) -> Panel:
    """`update_ratio` as a part of a larger figure."""
    if series.values.ndim == 2:
        panel = layers_panel(series, timeline=timeline, scale="log", theme=theme, include=HEALTHY)
    else:
        panel = curves_panel(
            [series], timeline=timeline, scale="log", smoothing=0.0, theme=theme, colours=colours, include=HEALTHY
        )
    x = np.asarray(series.timeline(timeline), dtype=np.float64)
    x = x[np.isfinite(x)]
    y = {**panel.y, "title": {"text": "‖Δθ‖ / ‖θ‖ (log scale)"}}
    band: list[Any] = []
    if len(x):
        left, right = float(x.min()), float(x.max())
        band = [
            go.Scatter(
                x=[left, right, right, left, left],
                y=[HEALTHY[0], HEALTHY[0], HEALTHY[1], HEALTHY[1], HEALTHY[0]],
                mode="lines",
                line={"width": 0, "color": theme.band},
                fill="toself",
                fillcolor=theme.band,
                name="healthy: 10⁻⁴ to 10⁻¹",
                hoverinfo="skip",
            )
        ]
    values = series.values[np.isfinite(series.values)]
    outside = float(((values < HEALTHY[0]) | (values > HEALTHY[1])).mean()) if len(values) else 0.0
    note = f"{100 * outside:.0f} % of the values lie outside the shaded band of healthy ratios."
    return replace(panel, y=y, traces=[*band, *panel.traces], notes=(note, *panel.notes), legend=True)
