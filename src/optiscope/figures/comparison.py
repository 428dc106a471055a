"""Runs against each other: means over seeds with their bands, and the final values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from optiscope.analysis.comparison import Comparison, Group
from optiscope.figures.colours import Stroke, assign_colours
from optiscope.figures.decimation import decimate
from optiscope.figures.not_finite import NotFinite, marks
from optiscope.figures.panel import Panel, head, place
from optiscope.figures.scale import AxisScale, choose_scale, headroom
from optiscope.figures.theme import Theme, theme_named, translucent
from optiscope.figures.wording import sentence_case, short, title_of

_INTERVAL_FROM = 3
_POINTS = 1500


def comparison(
    compared: Comparison,
    *,
    scale: str = "auto",
    finals: bool = True,
    title: str | None = None,
    colours: Mapping[str, str] | None = None,
    theme: str = "light",
) -> go.Figure:
    """A line and a band a group over the steps, and beside it each run's final value with the group's interval.

    The line is the mean. The band is the 95 % interval of the mean from three runs on; of two runs it is their range,
    because an interval of two is wider than any picture; a single run has none.

    Args:
        compared: result of `optiscope.compare`.
        scale: "auto", "linear", "log" or "symlog" of the value axis.
        finals: whether to draw the panel of final values.
        title: in place of the one made from the metric.
        colours: colours by group label, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        UnknownName: no such scale or theme.
    """
    chosen = theme_named(theme)
    strokes = assign_colours([group.label for group in compared.groups], chosen, colours)
    axis = choose_scale(scale, [group.values.ravel() for group in compared.groups])
    lines = lines_panel(compared, axis, strokes, chosen)
    figure = go.Figure()
    if finals:
        place(figure, lines, chosen, number=1, x=(0.0, 0.58))
        place(figure, finals_panel(compared, axis, strokes, chosen), chosen, number=2, x=(0.78, 1.0), heading=True)
    else:
        place(figure, lines, chosen, number=1)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0.0, "xanchor": "left", "y": -0.16, "yanchor": "top", "traceorder": "normal"},
    )
    what = sentence_case(title_of(compared.metric))
    head(figure, chosen, title or f"{what}, {len(compared.groups)} compared", [compared.verdict, *lines.notes])
    return figure


def lines_panel(compared: Comparison, axis: AxisScale, strokes: Mapping[str, Stroke], theme: Theme) -> Panel:
    """Means and bands over the steps."""
    traces: list[Any] = []
    broken: list[NotFinite] = []
    finite = np.concatenate([group.values[np.isfinite(group.values)] for group in compared.groups])
    finite = finite[finite > 0.0] if axis.name == "log" else finite
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (1.0, 1.0)
    for group in compared.groups:
        traces += _group_lines(group, axis, strokes[group.label], low)
        for name, values in zip(group.run_names, group.values, strict=True):
            kept = decimate(values, _POINTS)
            broken.append(
                NotFinite(name=name, x=group.steps[kept.marks], values=values[kept.marks], counts=kept.counts)
            )
    top = headroom(axis, low, high)
    traces += marks(broken, float(axis.positions(np.array([top]))[0]), theme)
    suffix = {"linear": "", "log": " (log scale)", "symlog": " (symmetric log scale)"}[axis.name]
    return Panel(
        title=sentence_case(title_of(compared.metric)),
        traces=traces,
        x={"title": {"text": "step"}, "exponentformat": "none", "separatethousands": True},
        y={"title": {"text": title_of(compared.metric) + suffix}, **axis.axis()},
        notes=_band_notes(compared),
    )


def finals_panel(compared: Comparison, axis: AxisScale, strokes: Mapping[str, Stroke], theme: Theme) -> Panel:
    """Final value of each run as a point, and each group's mean and interval, best group on top."""
    order = [str(row["group"]) for row in compared.rows()]
    by_label = {group.label: group for group in compared.groups}
    traces: list[Any] = []
    for label in order:
        group = by_label[label]
        colour = strokes[label].colour
        shown = group.finals[np.isfinite(group.finals)]
        if len(shown) == 0:
            continue
        names = [name for name, value in zip(group.run_names, group.finals, strict=True) if np.isfinite(value)]
        traces.append(
            go.Scatter(
                x=axis.positions(shown),
                y=[label] * len(shown),
                mode="markers",
                showlegend=False,
                marker={"size": 7, "color": translucent(colour, 0.45)},
                text=[f"{name}: {value:.6g}" for name, value in zip(names, shown, strict=True)],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        ends = (
            (group.final.low, group.final.high) if group.final.count >= _INTERVAL_FROM else (shown.min(), shown.max())
        )
        if axis.name == "log":
            ends = (max(ends[0], shown.min() / 3.0), ends[1])
        traces.append(
            go.Scatter(
                x=axis.positions(np.array(ends, dtype=np.float64)),
                y=[label, label],
                mode="lines",
                showlegend=False,
                line={"color": colour, "width": 2.5},
                hoverinfo="skip",
            )
        )
        traces.append(
            go.Scatter(
                x=axis.positions(np.array([group.final.mean])),
                y=[label],
                mode="markers",
                showlegend=False,
                marker={
                    "size": 10,
                    "color": colour,
                    "symbol": "diamond",
                    "line": {"width": 1, "color": theme.background},
                },
                text=[f"{label}: {group.final} {compared.metric}"],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    diverged = [label for label in order if by_label[label].final.count == 0]
    texts = [short(label, 18) + (" (diverged)" if label in diverged else "") for label in order]
    return Panel(
        title="At the end",
        traces=traces,
        x={"title": {"text": "final " + title_of(compared.metric)}, "nticks": 4, **axis.axis()},
        y={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "range": [len(order) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": order,
            "ticktext": texts,
            "showgrid": False,
        },
        legend=False,
    )


def _group_lines(group: Group, axis: AxisScale, stroke: Stroke, floor: float) -> list[Any]:
    count = len(group.run_names)
    name = f"{short(group.label)} (n = {count})" if count > 1 else short(group.label)
    mean = group.band.mean
    rows = decimate(mean, _POINTS).rows
    traces: list[Any] = []
    if count > 1:
        low, high = _band_of(group)
        if axis.name == "log":
            low = np.maximum(low, floor / 3.0)
        visible = rows[np.isfinite(low[rows]) & np.isfinite(high[rows]) & np.isfinite(mean[rows])]
        x = group.steps[visible]
        traces.append(
            go.Scatter(
                x=np.concatenate([x, x[::-1]]),
                y=axis.positions(np.concatenate([high[visible], low[visible][::-1]])),
                mode="lines",
                line={"width": 0, "color": translucent(stroke.colour, 0.0)},
                fill="toself",
                fillcolor=translucent(stroke.colour, 0.18),
                legendgroup=group.label,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    traces.append(
        go.Scatter(
            x=group.steps[rows],
            y=axis.positions(mean[rows]),
            customdata=mean[rows],
            mode="lines" if len(group.steps) > 1 else "markers",
            name=name,
            legendgroup=group.label,
            line={"color": stroke.colour, "width": 2, "dash": stroke.dash},
            marker={"color": stroke.colour},
            hovertemplate=f"{group.label}: %{{customdata:.6g}}<br>step %{{x}}<extra></extra>",
        )
    )
    return traces


def _band_of(group: Group) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    band = group.band
    enough = band.count >= _INTERVAL_FROM
    return np.where(enough, band.low, band.minimum), np.where(enough, band.high, band.maximum)


def _band_notes(compared: Comparison) -> tuple[str, ...]:
    sizes = {len(group.run_names) for group in compared.groups}
    notes = []
    if any(size >= _INTERVAL_FROM for size in sizes):
        notes.append("Bands: 95 % interval of the mean.")
    if 2 in sizes:
        notes.append("Bands of two runs: their range.")
    diverged = [name for group in compared.groups for name in group.diverged]
    if diverged:
        notes.append(
            f"Diverged: {', '.join(diverged[:4])}{' …' if len(diverged) > 4 else ''}; means are over the rest."
        )
    return tuple(notes)
