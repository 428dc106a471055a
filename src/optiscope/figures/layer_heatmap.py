"""One quantity of every layer at every step, as a map: layers from top to bottom, training from left to right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from optiscope.errors import ArgumentError
from optiscope.figures.panel import Panel
from optiscope.figures.theme import Theme, scale_list, theme_named
from optiscope.figures.wording import (
    COSINES,
    SIGNED,
    power_of_ten,
    quantity_of,
    sentence_case,
    short_names,
    timeline_title,
    title_of,
)
from optiscope.runs.series import Series

_COLUMNS = 400
_CROSSES = 24
_GAP = 3.0
_TICK_LABELS = 20

ColourRule = Literal["log", "linear", "diverging"]


def layer_heatmap(
    series: Series,
    *,
    nonfinite: Series | None = None,
    timeline: str = "step",
    title: str | None = None,
    theme: str = "light",
) -> go.Figure:
    """A map with one row a layer, in network order from top to bottom, and one column a step.

    Positive quantities such as norms have logarithmic colours, cosines and other signed ones diverging colours.
    Cells that are NaN or infinite, exactly zero (on a logarithmic scale), or without any value have colours of their
    own that are in the legend. With more than 400 steps a cell stands for several: the largest, or for signed
    quantities the mean, and it is marked as not finite when one of them is.

    Args:
        series: a series with one label per layer.
        nonfinite: run["gradient_nonfinite"], to tell a parameter without a gradient from a gradient that is NaN.
        timeline: "step", "seconds", "epoch" or "samples".
        title: in place of the one made from the name.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the series has no labels.
        UnknownName: no such timeline or theme.
    """
    chosen = theme_named(theme)
    panel = layer_heatmap_panel(series, nonfinite=nonfinite, timeline=timeline, title=title, theme=chosen)
    return panel.figure(chosen, subtitle=[f"Run {series.run_name}."] if series.run_name else [])


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """A series as cells of a map, at most 400 columns wide."""

    x: NDArray[Any]
    """Position of each column on the timeline."""
    values: Float[np.ndarray, "labels columns"]
    """Value of each cell; NaN where it has none."""
    broken: Bool[np.ndarray, "labels columns"]
    """Cells in which a value is NaN or infinite."""
    absent: Bool[np.ndarray, "labels columns"]
    """Cells in which there was nothing to measure."""
    merged: int
    """Rows of the series that one cell stands for."""
    gaps: int = 0
    """Stretches in which nothing was measured; each has empty columns at its ends."""


def layer_heatmap_panel(
    series: Series,
    *,
    nonfinite: Series | None = None,
    timeline: str,
    theme: Theme,
    title: str | None = None,
) -> Panel:
    """`layer_heatmap` as a part of a larger figure."""
    if series.values.ndim != 2:
        raise ArgumentError(f"{series.name!r} is a single number a step, not one per layer: draw it as a curve.")
    quantity = quantity_of(series.name)
    finite = series.values[np.isfinite(series.values)]
    rule = _rule(quantity, finite)
    cells = cells_of(series, nonfinite, timeline, largest=rule != "diverging")
    zero = (cells.values == 0.0) & (rule == "log")
    drawn = np.where(cells.broken | cells.absent | zero, np.nan, cells.values)
    with np.errstate(divide="ignore"):
        heights = np.log10(drawn) if rule == "log" else drawn
    names = list(series.labels)
    traces: list[Any] = [
        go.Heatmap(
            x=cells.x,
            y=names,
            z=heights,
            customdata=drawn,
            hoverongaps=False,
            hovertemplate=f"%{{y}}<br>{title_of(series.name)}: %{{customdata:.4g}}<br>at %{{x}}<extra></extra>",
            **_colours(rule, quantity, heights, theme),
        )
    ]
    special = (
        (cells.broken, "not finite (NaN or ∞)", theme.not_finite),
        (zero & ~cells.broken, "exactly 0", theme.muted),
        (cells.absent & ~cells.broken, "nothing to measure", theme.absent),
    )
    for mask, name, colour in special:
        traces += _overlay(mask, name, colour, cells.x, names)
    if cells.broken.any():
        traces.append(_crosses(cells, names, theme))
    notes = []
    if cells.merged > 1:
        which = "mean" if rule == "diverging" else "largest"
        notes.append(f"Each cell is the {which} of {cells.merged} recorded steps.")
    if cells.gaps:
        notes.append("Blank stretches were not measured.")
    if not len(finite):
        notes.append("No value is finite.")
    return Panel(
        title=title or sentence_case(title_of(series.name)) + ", every layer",
        traces=traces,
        x={
            "title": {"text": timeline_title(timeline)},
            "showgrid": False,
            "exponentformat": "none",
            "separatethousands": True,
        },
        y=layer_axis(names),
        notes=tuple(notes),
        legend=bool(any(mask.any() for mask, _, _ in special)),
        legend_above=True,
    )


def layer_axis(names: list[str], *, most: int = _TICK_LABELS, length: int = 26) -> dict[str, Any]:
    """Properties of an axis with one category a layer, the first on top, and as many labels as can be read."""
    places = sorted({round(place) for place in np.linspace(0, len(names) - 1, min(len(names), most))})
    return {
        "type": "category",
        "autorange": "reversed",
        "showgrid": False,
        "tickmode": "array",
        "tickvals": [names[place] for place in places],
        "ticktext": short_names([names[place] for place in places], length),
        "tickfont": {"size": 11 if len(places) < 16 else 10},
    }


def cells_of(series: Series, nonfinite: Series | None, timeline: str, *, largest: bool) -> Cells:
    """Merge the rows of `series` into at most 400 columns; a merged cell is the largest of its values or their mean."""
    x = np.asarray(series.timeline(timeline))
    rows = len(x)
    width = max(1, math.ceil(rows / _COLUMNS))
    starts = np.arange(0, rows, width)
    bad = ~np.isfinite(series.values)
    absent = np.zeros_like(bad)
    if nonfinite is not None and nonfinite.labels == series.labels:
        counted, place = np.unique(nonfinite.steps, return_index=True)
        found = np.searchsorted(counted, series.steps)
        known = (found < len(counted)) & (counted[np.minimum(found, len(counted) - 1)] == series.steps)
        # Nothing could be counted where there was no gradient: the recorder says so by NaN.
        absent[known] = np.isnan(nonfinite.values[place[found[known]]])
    bad &= ~absent
    if rows == 0:
        empty = np.empty((len(series.labels), 0))
        return Cells(x=x, values=empty, broken=empty.astype(bool), absent=empty.astype(bool), merged=1)
    good = ~(bad | absent)
    counts = np.add.reduceat(good, starts, axis=0, dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if largest:
            merged = np.maximum.reduceat(np.where(good, series.values, -np.inf), starts, axis=0)
        else:
            merged = np.add.reduceat(np.where(good, series.values, 0.0), starts, axis=0) / counts
    return _with_gaps(
        Cells(
            x=x[starts],
            values=np.where(counts > 0, merged, np.nan).T,
            broken=np.logical_or.reduceat(bad, starts, axis=0).T,
            absent=np.logical_and.reduceat(absent, starts, axis=0).T,
            merged=width,
        )
    )


def _with_gaps(cells: Cells) -> Cells:
    """Empty columns where nothing was measured: a heat map otherwise stretches cells to the middle of any gap.

    A gap is longer than three times the median distance of two columns; the cells beside it are as wide as that one.
    """
    x = np.asarray(cells.x, dtype=np.float64)
    distances = np.diff(x)
    known = distances[np.isfinite(distances)]
    typical = float(np.median(known)) if len(known) else 0.0
    behind = np.flatnonzero(distances > _GAP * typical) if typical > 0.0 else np.empty(0, dtype=np.int64)
    if not len(behind):
        return cells
    places = np.repeat(behind + 1, 2)
    edges = np.stack([x[behind] + typical, x[behind + 1] - typical], axis=1).ravel()
    return Cells(
        x=np.insert(x, places, edges),
        values=np.insert(cells.values, places, np.nan, axis=1),
        broken=np.insert(cells.broken, places, False, axis=1),
        absent=np.insert(cells.absent, places, False, axis=1),
        merged=cells.merged,
        gaps=len(behind),
    )


def _rule(quantity: str, finite: Float[np.ndarray, " values"]) -> ColourRule:
    if quantity in SIGNED or (len(finite) and finite.min() < 0.0):
        return "diverging"
    positive = finite[finite > 0.0]
    return "log" if len(positive) and positive.max() >= 10.0 * positive.min() else "linear"


def _colours(rule: ColourRule, quantity: str, heights: Float[np.ndarray, "..."], theme: Theme) -> dict[str, Any]:
    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if rule == "diverging":
        reach = 1.0 if quantity in COSINES else max(abs(low), abs(high)) or 1.0
        return {"colorscale": scale_list(theme.diverging), "zmin": -reach, "zmax": reach, "colorbar": {"nticks": 5}}
    if low == high:
        low, high = low - 0.5, high + 0.5
    bar: dict[str, Any] = {"nticks": 6, "exponentformat": "power"}
    if rule == "log":
        stride = max(1, math.ceil((high - low) / 6))
        exponents = list(range(math.ceil(low), math.floor(high) + 1, stride))
        bar = {"tickmode": "array", "tickvals": exponents, "ticktext": [power_of_ten(one) for one in exponents]}
        if len(exponents) < 2:
            places = np.linspace(low, high, 4)
            bar = {"tickmode": "array", "tickvals": places, "ticktext": [f"{10.0**place:.2g}" for place in places]}
    return {"colorscale": scale_list(theme.sequential), "zmin": low, "zmax": high, "colorbar": bar}


def _overlay(
    mask: Bool[np.ndarray, "labels columns"], name: str, colour: str, x: NDArray[Any], names: list[str]
) -> list[Any]:
    """Cells of one flat colour, and their entry in the legend, which heat maps do not have."""
    if not mask.any():
        return []
    return [
        go.Heatmap(
            x=x,
            y=names,
            z=np.where(mask, 1.0, np.nan).astype(np.float32),
            colorscale=[[0.0, colour], [1.0, colour]],
            zmin=0.0,
            zmax=1.0,
            showscale=False,
            hoverongaps=False,
            hovertemplate=f"%{{y}}<br>{name}<br>at %{{x}}<extra></extra>",
        ),
        go.Scatter(
            x=[None],
            y=[names[0]],
            mode="markers",
            name=name,
            marker={"symbol": "square", "size": 11, "color": colour},
            hoverinfo="skip",
        ),
    ]


def _crosses(cells: Cells, names: list[str], theme: Theme) -> Any:
    """Crosses on the cells that are not finite: shape tells them from others where colours cannot."""
    # One where a stretch begins, and some along it: a cross on every cell would be a solid line.
    begins = cells.broken & ~np.pad(cells.broken, ((0, 0), (1, 0)))[:, :-1]
    along = np.arange(cells.broken.shape[1]) % max(1, math.ceil(cells.broken.shape[1] / _CROSSES)) == 0
    layers, columns = np.nonzero(begins | (cells.broken & along))
    return go.Scatter(
        x=cells.x[columns],
        y=[names[layer] for layer in layers],
        mode="markers",
        marker={"symbol": "x", "size": 7, "color": theme.not_finite, "line": {"width": 1, "color": theme.background}},
        showlegend=False,
        hoverinfo="skip",
    )
