"""Learning rate, momentum and their like: what each parameter group was trained with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from optiscope.analysis.wording import listed
from optiscope.figures.layers import layers_panel
from optiscope.figures.panel import Panel
from optiscope.figures.theme import Theme, theme_named
from optiscope.figures.wording import sentence_case, title_of
from optiscope.runs.series import Series


def learning_rate(series: Series, *, timeline: str = "step", scale: str = "auto", theme: str = "light") -> go.Figure:
    """A hyperparameter of every parameter group over training; groups that never differ share a line.

    Args:
        series: a series with one label per parameter group, such as run["learning_rate"].
        timeline: "step", "seconds", "epoch" or "samples".
        scale: "auto", "linear", "log" or "symlog".
        theme: "light" or "dark".

    Raises:
        ArgumentError: the series has no labels.
        UnknownName: no such timeline, scale or theme.
    """
    chosen = theme_named(theme)
    panel = learning_rate_panel(series, timeline=timeline, scale=scale, theme=chosen)
    return panel.figure(chosen, subtitle=[f"Run {series.run_name}."] if series.run_name else [])


def learning_rate_panel(series: Series, *, timeline: str, scale: str, theme: Theme) -> Panel:
    """`learning_rate` as a part of a larger figure."""
    merged = _merged(series)
    panel = layers_panel(
        merged, timeline=timeline, scale=scale, theme=theme, title=sentence_case(title_of(series.name))
    )
    alone = len(merged.labels) == 1
    # Colours by depth mean nothing here, and neither do the notes about them.
    notes = (
        () if len(series.labels) < 2 else (f"All {len(series.labels)} parameter groups are equal.",) if alone else ()
    )
    if alone:
        for trace in panel.traces[:1]:
            trace.update(line={"color": theme.palette[0], "width": 2})
    y = {**panel.y, "rangemode": "tozero"} if panel.y.get("type") == "linear" else panel.y
    return replace(panel, notes=notes, y=y, legend=not alone or len(panel.traces) > 1)


def _merged(series: Series) -> Series:
    if series.values.ndim != 2:
        return series
    columns: dict[bytes, list[int]] = {}
    for index in range(len(series.labels)):
        columns.setdefault(np.ascontiguousarray(series.values[:, index]).tobytes(), []).append(index)
    labels = tuple(listed([series.labels[index] for index in members], limit=3) for members in columns.values())
    return replace(series, values=series.values[:, [members[0] for members in columns.values()]], labels=labels)
