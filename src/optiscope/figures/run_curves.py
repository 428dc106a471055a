"""All metrics that a run logged, one above the other."""

from __future__ import annotations

import plotly.graph_objects as go

from optiscope.errors import ArgumentError
from optiscope.figures.curves import curves_panel, describe_marks
from optiscope.figures.metrics import metric_names
from optiscope.figures.panel import head, place
from optiscope.figures.theme import theme_named
from optiscope.runs import Run

_MOST = 12
_PANEL_HEIGHT = 250


def run_curves(
    run: Run,
    *,
    timeline: str = "step",
    scale: str = "auto",
    smoothing: float | None = None,
    title: str | None = None,
    theme: str = "light",
) -> go.Figure:
    """One panel a metric, each with an axis of its own, for their units differ.

    Args:
        run: a run with at least one metric.
        timeline: "step", "seconds", "epoch" or "samples".
        scale: "auto", "linear", "log" or "symlog" of the value axes.
        smoothing: as in `curves`.
        title: in place of the run's name.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the run has no metric.
        UnknownName: no such timeline, scale or theme.
    """
    chosen = theme_named(theme)
    names = metric_names(run)
    if not names:
        raise ArgumentError(f"The run {run.name!r} has no metric. Log one in the training loop: watch.log(loss=loss).")
    shown = names[:_MOST]
    figure = go.Figure()
    gap = 0.35 / len(shown) if len(shown) > 1 else 0.0
    height = (1.0 - gap * (len(shown) - 1)) / len(shown)
    for index, name in enumerate(shown):
        series = run[name]
        panel = curves_panel([series], timeline=timeline, scale=scale, smoothing=smoothing, theme=chosen)
        top = 1.0 - index * (height + gap)
        place(figure, panel, chosen, number=index + 1, y=(max(0.0, top - height), top), legend=False)
    left_out = [f"{len(names) - _MOST} more metrics are not drawn: plot them by name."] if len(names) > _MOST else []
    noted = [f"{name}: {note}" for name in shown if (note := describe_marks(run[name]))]
    head(figure, chosen, title or f"Metrics of {run.name}", [*noted, *left_out])
    figure.update_layout(height=max(450, 90 + _PANEL_HEIGHT * len(shown)), showlegend=False)
    return figure
