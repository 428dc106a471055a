"""Runs against each other: means over seeds with their bands, and the final values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.analysis.comparison import Comparison, Group
from optiscope.analysis.smoothing import smooth
from optiscope.analysis.statistics import mean_band
from optiscope.figures.colours import Colours, Stroke, assign_colours
from optiscope.figures.curves import automatic_smoothing, averaged_over
from optiscope.figures.decimation import decimate
from optiscope.figures.not_finite import NotFinite, marks
from optiscope.figures.panel import LEGEND_ABOVE, ROW, Panel, head, place
from optiscope.figures.scale import AxisScale, choose_scale, few_ticks, headroom
from optiscope.figures.theme import Theme, theme_named, translucent
from optiscope.figures.wording import axis_title_of, sentence_case, short, title_of
from optiscope.runs.wording import counted

_INTERVAL_FROM = 3
_POINTS = 1500
_LABEL = 18


def comparison(
    compared: Comparison,
    *,
    scale: str = "auto",
    smoothing: float | None = None,
    finals: bool = True,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """A line and a band a group over the steps, and beside it each run's final value with the group's interval.

    The line is the mean. The band is the 95 % interval of the mean from three runs on; of two runs it is their range,
    because an interval of two is wider than any picture; a single run has none.

    Args:
        compared: result of `optiscope.compare`.
        scale: "auto", "linear", "log" or "symlog" of the value axis. On a logarithmic one mean and interval are taken
            of the logarithms, for an interval around the mean of noisy values would often reach below zero.
        smoothing: factor of the moving average of each run before the mean is taken, 0 for none. By default noisy
            series are averaged over about a fiftieth of their length.
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
    lines = lines_panel(compared, axis, strokes, chosen, smoothing, legend=not finals)
    figure = go.Figure()
    if finals:
        place(figure, lines, chosen, number=1, x=(0.0, 0.58))
        place(figure, finals_panel(compared, axis, strokes, chosen), chosen, number=2, x=(0.78, 1.0), heading=True)
    else:
        place(figure, lines, chosen, number=1)
    figure.update_layout(showlegend=True, legend=LEGEND_ABOVE if finals else {})
    what = sentence_case(title_of(compared.metric))
    heading = title or f"{what}: {counted(len(compared.groups), 'group')} compared"
    head(figure, chosen, heading, [compared.verdict, *lines.notes], room=ROW)
    return figure


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """What is drawn of one group: averaged runs, their mean, and the edges of the band."""

    runs: Float[np.ndarray, "runs steps"]
    mean: Float[np.ndarray, " steps"]
    low: Float[np.ndarray, " steps"]
    high: Float[np.ndarray, " steps"]


def lines_panel(
    compared: Comparison,
    axis: AxisScale,
    strokes: Mapping[str, Stroke],
    theme: Theme,
    smoothing: float | None = None,
    *,
    legend: bool = True,
) -> Panel:
    """Means and bands over the steps. Without a legend the groups are named by the panel of final values."""
    factor = smoothing
    if factor is None:
        every = [run for group in compared.groups for run in group.values]
        factor = max((automatic_smoothing(run, axis) for run in every), default=0.0)
    lines = {group.label: _line_of(group, axis, factor) for group in compared.groups}
    seen = np.concatenate([line.runs[np.isfinite(line.runs)] for line in lines.values()])
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (1.0, 1.0)
    top = headroom(axis, low, high)
    traces: list[Any] = []
    broken: list[NotFinite] = []
    for group in compared.groups:
        traces += _group_lines(group, lines[group.label], axis, strokes[group.label], legend)
        for name, values in zip(group.run_names, group.values, strict=True):
            kept = decimate(values, _POINTS)
            broken.append(
                NotFinite(name=name, x=group.steps[kept.marks], values=values[kept.marks], counts=kept.counts)
            )
    traces += marks(broken, float(axis.positions(np.array([top]))[0]), theme)
    # The range follows the runs, not the bands: an interval of three noisy runs would flatten every line.
    bottom = low / max((high / low) ** 0.04, 1.1) if axis.name == "log" else low - 0.04 * (high - low or 1.0)
    reach = axis.positions(np.array([bottom, headroom(axis, low, top)]))
    return Panel(
        title=sentence_case(title_of(compared.metric)),
        traces=traces,
        x={"title": {"text": "step"}, "exponentformat": "none", "separatethousands": True},
        y={
            "title": {"text": axis_title_of(compared.metric) + axis.suffix},
            **axis.axis(),
            "range": list(np.log10(reach) if axis.name == "log" else reach),
        },
        notes=_band_notes(compared, axis, factor),
    )


def _line_of(group: Group, axis: AxisScale, factor: float) -> _Line:
    smoothed = np.array([smooth(run, factor, centred=True) for run in group.values])
    logarithmic = axis.name == "log"
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.where(smoothed > 0.0, np.log10(smoothed), np.nan) if logarithmic else smoothed
    band = mean_band(heights)
    enough = band.count >= _INTERVAL_FROM
    edges = (band.mean, np.where(enough, band.low, band.minimum), np.where(enough, band.high, band.maximum))
    with np.errstate(over="ignore"):
        mean, low, high = (10.0**edge for edge in edges) if logarithmic else edges
    return _Line(runs=10.0**heights if logarithmic else heights, mean=mean, low=low, high=high)


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
    unequal = len({len(group.run_names) for group in compared.groups}) > 1
    texts = [_in_lines(label) + _suffix(by_label[label], unequal) for label in order]
    ticks: dict[str, Any] = {"nticks": 4}
    if axis.name == "log":
        ends_seen = (
            np.concatenate([np.asarray(trace.x, dtype=np.float64) for trace in traces]) if traces else np.ones(1)
        )
        ticks = few_ticks(float(ends_seen.min()), float(ends_seen.max()), most=3) if len(ends_seen) else {}
    return Panel(
        title="At the end",
        traces=traces,
        x={"title": {"text": "final " + axis_title_of(compared.metric)}, **axis.axis(), **ticks},
        y={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "range": [len(order) - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": order,
            "ticktext": texts,
            "tickfont": {"size": 11},
            "showgrid": False,
        },
        legend=False,
    )


def _in_lines(label: str) -> str:
    """A label of several settings in lines of their own where it is too long for one."""
    parts = label.split(", ") if len(label) > _LABEL else [label]
    return "<br>".join(short(part, _LABEL) for part in parts[:2]) + ("…" if len(parts) > 2 else "")


def _suffix(group: Group, unequal: bool) -> str:
    """What must be known of a group beside its name: how many runs, where that differs, and how many diverged."""
    count, gone = len(group.run_names), len(group.diverged)
    said = [f"n = {count}"] if unequal else []
    if gone:
        said.append("diverged" if gone == count else f"{gone} diverged")
    text = f"({', '.join(said)})" if said else ""
    return text and (" " if len(group.label) + len(text) < _LABEL else "<br>") + text


def _group_lines(group: Group, line: _Line, axis: AxisScale, stroke: Stroke, legend: bool) -> list[Any]:
    count = len(group.run_names)
    name = f"{short(group.label)} (n = {count})" if count > 1 else short(group.label)
    mean = line.mean
    rows = decimate(mean, _POINTS).rows
    traces: list[Any] = []
    if count > 1:
        visible = rows[np.isfinite(line.low[rows]) & np.isfinite(line.high[rows]) & np.isfinite(mean[rows])]
        x = group.steps[visible]
        traces.append(
            go.Scatter(
                x=np.concatenate([x, x[::-1]]),
                y=axis.positions(np.concatenate([line.high[visible], line.low[visible][::-1]])),
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
            showlegend=legend,
            line={"color": stroke.colour, "width": 2, "dash": stroke.dash},
            marker={"color": stroke.colour},
            hovertemplate=f"{group.label}: %{{customdata:.6g}}<br>step %{{x}}<extra></extra>",
        )
    )
    return traces


def _band_notes(compared: Comparison, axis: AxisScale, factor: float) -> tuple[str, ...]:
    sizes = {len(group.run_names) for group in compared.groups}
    notes = [f"{counted(max(sizes), 'run')} a group."] if len(sizes) == 1 else []
    if factor > 0.0:
        notes.append(f"Each run is averaged over about {averaged_over(factor)} values.")
    of_what = "mean of the logarithm" if axis.name == "log" else "mean"
    if any(size >= _INTERVAL_FROM for size in sizes):
        notes.append(f"Bands: 95 % interval of the {of_what}.")
    if 2 in sizes:
        notes.append("Bands of two runs: their range.")
    return tuple(notes)
