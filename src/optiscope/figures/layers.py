"""One quantity of every layer, or of every parameter group, as lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from optiscope.errors import ArgumentError
from optiscope.figures.colours import along_scale
from optiscope.figures.decimation import POINTS, decimate
from optiscope.figures.not_finite import NotFinite, marks
from optiscope.figures.panel import Panel
from optiscope.figures.scale import choose_scale, headroom
from optiscope.figures.theme import Theme, theme_named
from optiscope.figures.wording import axis_title_of, quantity_of, sentence_case, short_names, timeline_title, title_of
from optiscope.runs.series import Series

_NAMED = 10
_POINTS_TOGETHER = 80_000
_LEAST_POINTS = 300


def layers(
    series: Series, *, timeline: str = "step", scale: str = "auto", title: str | None = None, theme: str = "light"
) -> go.Figure:
    """One line per label of `series`, coloured from the first layer to the last.

    With many layers the legend names some of them, evenly spaced with the first and the last; hovering names any.

    Args:
        series: a series with labels.
        timeline: "step", "seconds", "epoch" or "samples".
        scale: "auto", "linear", "log" or "symlog" of the value axis.
        title: in place of the one made from the name.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the series has no labels.
        UnknownName: no such timeline, scale or theme.
    """
    chosen = theme_named(theme)
    panel = layers_panel(series, timeline=timeline, scale=scale, theme=chosen, title=title)
    return panel.figure(chosen, subtitle=[f"Run {series.run_name}."] if series.run_name else [])


def layers_panel(
    series: Series,
    *,
    timeline: str,
    scale: str,
    theme: Theme,
    title: str | None = None,
    include: tuple[float, ...] = (),
) -> Panel:
    """`layers` as a part of a larger figure. Marks stand above the values and above those of `include`."""
    if series.values.ndim != 2:
        raise ArgumentError(f"{series.name!r} is a single number a step, not one per layer: draw it as a curve.")
    x = series.timeline(timeline)
    count = len(series.labels)
    limit = int(np.clip(_POINTS_TOGETHER // max(1, count), _LEAST_POINTS, POINTS))
    axis = choose_scale(scale, [series.values.ravel()])
    shown = "%{customdata:.6g}" if axis.name == "symlog" else "%{y:.6g}"
    named = {round(place) for place in np.linspace(0, count - 1, min(count, _NAMED))}
    # A count between two measurements is not known: a ramp would show one.
    stepped = quantity_of(series.name) == "gradient_nonfinite" and bool((np.diff(series.steps) > 1).any())
    traces: list[Any] = []
    broken: list[NotFinite] = []
    thinned = False
    brief = short_names(series.labels)
    for index, (label, colour) in enumerate(zip(series.labels, along_scale(theme, count), strict=True)):
        values = series.values[:, index]
        kept = decimate(values, limit)
        thinned = thinned or kept.thinned
        drawn = np.where(np.isfinite(values[kept.rows]), values[kept.rows], np.nan)
        traces.append(
            go.Scatter(
                x=x[kept.rows],
                y=axis.positions(drawn),
                customdata=drawn if axis.name == "symlog" else None,
                mode="markers" if len(values) <= 1 else "lines+markers" if stepped else "lines",
                name=brief[index],
                showlegend=index in named,
                line={"color": colour, "width": 1.8 if count <= _NAMED else 1.1, "shape": "hv" if stepped else None},
                marker={"color": colour},
                hovertemplate=f"{label}: {shown}<br>at %{{x}}<extra></extra>",
            )
        )
        broken.append(NotFinite(name=label, x=x[kept.marks], values=values[kept.marks], counts=kept.counts))
    finite = series.values[np.isfinite(series.values)]
    finite = finite[finite > 0.0] if axis.name == "log" else finite
    ends = [*([finite.min(), finite.max()] if len(finite) else []), *include]
    low, high = (float(min(ends)), float(max(ends))) if ends else (1.0, 1.0)
    traces += marks(broken, float(axis.positions(np.array([headroom(axis, low, high)]))[0]), theme)
    notes = [f"Coloured from the first layer (dark) to the last (bright), {count} in all."] if count > 2 else []
    if len(named) < count:
        notes.append(f"The legend names {len(named)} of {count}; hover over a line for its name.")
    if thinned:
        notes.append(f"At most {limit:,} of {len(series):,} values a line are drawn: the extremes of each stretch.")
    if axis.name == "log" and bool((series.values <= 0.0).any()):
        notes.append("Values of zero and less have no place on a logarithmic axis.")
    return Panel(
        title=title or sentence_case(title_of(series.name)) + " by layer",
        traces=traces,
        x={"title": {"text": timeline_title(timeline)}, "exponentformat": "none", "separatethousands": True},
        y={"title": {"text": axis_title_of(series.name) + axis.suffix}, **axis.axis()},
        notes=tuple(notes),
    )
