"""Loss and metrics over training, of one run or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.analysis.smoothing import smooth
from optiscope.errors import ArgumentError
from optiscope.figures.colours import Colours, Stroke, assign_colours
from optiscope.figures.decimation import POINTS, Decimation, decimate
from optiscope.figures.not_finite import NotFinite, marks
from optiscope.figures.panel import Panel
from optiscope.figures.scale import AxisScale, choose_scale, headroom
from optiscope.figures.theme import Theme, theme_named, translucent
from optiscope.figures.wording import axis_title_of, sentence_case, short, timeline_title, title_of
from optiscope.runs.series import Series
from optiscope.runs.wording import counted

_SMOOTH_FROM = 150
_NOISY = 0.01


def curves(
    series: Series | Sequence[Series],
    *,
    timeline: str = "step",
    scale: str = "auto",
    smoothing: float | None = None,
    colours: Colours | None = None,
    title: str | None = None,
    theme: str = "light",
) -> go.Figure:
    """One line a series: metrics of a run, or a metric of several runs.

    Args:
        series: one-dimensional series.
        timeline: "step", "seconds", "epoch" or "samples".
        scale: "auto", "linear", "log" or "symlog" of the value axis.
        smoothing: factor of the moving average, 0 for none; the recorded values stay visible, faintly. By default
            noisy series are averaged over about a fiftieth of their length.
        colours: colours by run name (by series name for series of one run), to agree with other figures.
        title: in place of the one made from the names.
        theme: "light" or "dark".

    Raises:
        ArgumentError: no series, or one with a value per layer.
        UnknownName: no such timeline, scale or theme.
    """
    chosen = theme_named(theme)
    several = (series,) if isinstance(series, Series) else tuple(series)
    panel = curves_panel(
        several, timeline=timeline, scale=scale, smoothing=smoothing, colours=colours, title=title, theme=chosen
    )
    runs = dict.fromkeys(one.run_name for one in several if one.run_name)
    origin = [f"Run {next(iter(runs))}."] if len(runs) == 1 else [f"{len(runs)} runs."] if runs else []
    return panel.figure(chosen, subtitle=origin)


def curves_panel(
    series: Sequence[Series],
    *,
    timeline: str,
    scale: str,
    smoothing: float | None,
    theme: Theme,
    colours: Colours | None = None,
    title: str | None = None,
    include: tuple[float, ...] = (),
) -> Panel:
    """`curves` as a part of a larger figure. Marks stand above the values and above those of `include`."""
    if not series:
        raise ArgumentError("A figure of curves needs at least one series. Received none.")
    for one in series:
        if one.values.ndim != 1:
            raise ArgumentError(
                f"{one.name!r} has one value per label ({len(one.labels)} of them): draw it by layers, or pick one "
                "label with .column(name)."
            )
    names = _line_names(series)
    strokes = assign_colours(names, theme, colours)
    axis = choose_scale(scale, [one.values for one in series])
    traces: list[Any] = []
    broken: list[NotFinite] = []
    thinned = smoothed = 0
    for name, one in zip(names, series, strict=True):
        x = one.timeline(timeline)
        kept = decimate(one.values)
        factor = automatic_smoothing(one.values, axis) if smoothing is None else smoothing
        averaged = smooth(one.values, factor, centred=True) if factor > 0.0 else None
        traces += _lines(name, x, one.values, kept, averaged, strokes[name], axis)
        broken.append(NotFinite(name=name, x=x[kept.marks], values=one.values[kept.marks], counts=kept.counts))
        thinned = max(thinned, kept.total if kept.thinned else 0)
        smoothed = max(smoothed, averaged_over(factor))
    low, high = _drawable_range(series, axis)
    top = headroom(axis, min([low, *include]), max([high, *include]))
    traces += marks(broken, float(axis.positions(np.array([top]))[0]), theme)
    quantities = dict.fromkeys(title_of(one.name) for one in series)
    axes = dict.fromkeys(axis_title_of(one.name) for one in series)
    quantity = next(iter(axes)) if len(axes) == 1 else "value"
    notes = []
    if smoothed:
        notes.append(f"Averaged over about {smoothed} values; the recorded values are faint.")
    if thinned:
        notes.append(
            f"At most {POINTS:,} of {thinned:,} values a line are drawn: the extremes and every gap of each stretch."
        )
    if axis.name == "log" and any(bool((one.values <= 0).any()) for one in series):
        notes.append("Values of zero and less have no place on a logarithmic axis.")
    if all(not np.isfinite(one.values).any() for one in series):
        notes.append("No value is finite.")
    return Panel(
        title=title or sentence_case(" and ".join(list(quantities)[:3]) + (" …" if len(quantities) > 3 else "")),
        traces=traces,
        x={"title": {"text": timeline_title(timeline)}, "exponentformat": "none", "separatethousands": True},
        y={"title": {"text": quantity + axis.suffix}, **axis.axis()},
        notes=tuple(notes),
        legend=len(series) > 1 or any(len(line.x) for line in broken),
    )


def _lines(
    name: str,
    x: np.ndarray[Any, Any],
    values: Float[np.ndarray, " rows"],
    kept: Decimation,
    averaged: Float[np.ndarray, " rows"] | None,
    stroke: Stroke,
    axis: AxisScale,
) -> list[Any]:
    shown = "%{customdata:.6g}" if axis.name == "symlog" else "%{y:.6g}"
    lines = []
    for smoothed in (False, True) if averaged is not None else (False,):
        source = averaged if smoothed and averaged is not None else values
        rows = decimate(source).rows if smoothed else kept.rows
        faint = averaged is not None and not smoothed
        drawn = np.where(np.isfinite(source[rows]), source[rows], np.nan)
        lines.append(
            go.Scatter(
                x=x[rows],
                y=axis.positions(drawn),
                customdata=drawn if axis.name == "symlog" else None,
                mode="lines" if len(values) > 1 else "markers",
                name=short(name),
                legendgroup=name,
                showlegend=not faint,
                line={
                    "color": translucent(stroke.colour, 0.28) if faint else stroke.colour,
                    "width": 1 if faint else 2,
                    "dash": "solid" if faint else stroke.dash,
                },
                marker={"color": stroke.colour, "size": 8},
                hovertemplate=f"{name}: {shown}{' (averaged)' if smoothed else ''}<br>at %{{x}}<extra></extra>",
            )
        )
    return lines


def _line_names(series: Sequence[Series]) -> list[str]:
    """Run names when one metric of several runs is drawn, metric names when several of one run, else both."""
    runs = {one.run_name for one in series}
    metrics = {one.name for one in series}
    if len(metrics) == 1 and len(runs) == len(series):
        return [one.run_name or one.name for one in series]
    if len(runs) == 1 and len(metrics) == len(series):
        return [one.name for one in series] if len(series) > 1 else [one.run_name or one.name for one in series]
    names = [f"{one.run_name} {one.name}".strip() for one in series]
    return [name if names.count(name) == 1 else f"{name} #{index + 1}" for index, name in enumerate(names)]


def automatic_smoothing(values: Float[np.ndarray, " rows"], axis: AxisScale) -> float:
    """A factor that averages over a fiftieth of a series that is noisy to the eye; 0 for a short or a smooth one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.log10(values) if axis.name == "log" else axis.positions(values)
    seen = heights[np.isfinite(heights)]
    if len(seen) < _SMOOTH_FROM:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        variance = float(np.var(seen))
        # Near 1 for white noise and near 0 for a smooth curve (von Neumann's ratio, halved).
        roughness = float(np.mean(np.diff(seen) ** 2)) / (2.0 * variance) if variance > 0.0 else 0.0
    return 1.0 - 75.0 / len(seen) if np.isfinite(roughness) and roughness > _NOISY else 0.0


def averaged_over(factor: float) -> int:
    """How many values about each averaged value stands for: the sum of the weights f^|t|, on both sides."""
    return round((1.0 + factor) / (1.0 - factor)) if factor > 0.0 else 0


def _drawable_range(series: Sequence[Series], axis: AxisScale) -> tuple[float, float]:
    finite = np.concatenate([one.values[np.isfinite(one.values)] for one in series])
    if axis.name == "log":
        finite = finite[finite > 0.0]
    return (float(finite.min()), float(finite.max())) if len(finite) else (1.0, 1.0)


def describe_marks(series: Series) -> str:
    """How many values of the series are not finite, in a sentence; empty when all are."""
    count = int((~np.isfinite(series.values)).sum())
    return f"{counted(count, 'value')} not finite (crosses at the top)." if count else ""
