"""How the elements of weights, gradients or updates are distributed, and how that changes in training."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int64

from optiscope.analysis.wording import percent
from optiscope.errors import UnknownName
from optiscope.figures.not_finite import NotFinite, marks
from optiscope.figures.panel import Panel
from optiscope.figures.theme import Theme, scale_list, theme_named
from optiscope.figures.wording import power_of_ten, sentence_case
from optiscope.runs.series import HistogramSeries
from optiscope.runs.wording import counted

_COLUMNS = 400
_ELEMENTS = {"weights": "weight", "gradients": "gradient element", "updates": "update element"}
_NEARLY_EMPTY = 0.005
_LEAST_BINS = 12


def histogram_over_time(
    histograms: HistogramSeries, *, layer: str | None = None, title: str | None = None, theme: str = "light"
) -> go.Figure:
    """A map of step × magnitude: the colour is the share of the elements in that bin, on a logarithmic scale.

    The vertical axis is even in the logarithm of the magnitude on both sides of zero, as the bins are.

    Args:
        histograms: run.histograms("weights") and its like.
        layer: name of one parameter tensor; by default all of them together.
        title: in place of the one made from the name.
        theme: "light" or "dark".

    Raises:
        UnknownName: no such layer or theme.
    """
    chosen = theme_named(theme)
    panel = histogram_panel(histograms, layer=layer, title=title, theme=chosen)
    return panel.figure(chosen, subtitle=[f"Run {histograms.run_name}."] if histograms.run_name else [])


def histogram_panel(histograms: HistogramSeries, *, layer: str | None, theme: Theme, title: str | None = None) -> Panel:
    """`histogram_over_time` as a part of a larger figure."""
    if layer is not None and layer not in histograms.labels:
        raise UnknownName.among(layer, histograms.labels, kind=f"parameter with histograms of {histograms.name}")
    chosen = slice(None) if layer is None else [histograms.labels.index(layer)]
    whose = layer if layer is not None else f"all {len(histograms.labels)} parameter tensors"
    title = title or f"{sentence_case(histograms.name)} over time, {whose}"
    if len(histograms) == 0:
        return Panel(title=title, message=f"The run has no histograms of {histograms.name} yet.")
    stride = math.ceil(len(histograms) / _COLUMNS)
    counts = histograms.counts[:, chosen].sum(axis=1)[::stride]
    nonfinite = histograms.nonfinite[:, chosen].sum(axis=1)
    steps = histograms.steps[::stride]
    counts, edges = _focus(counts, histograms.edges)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    bins = counts.shape[1]
    with np.errstate(divide="ignore"):
        heights = np.where(shares > 0.0, np.log10(shares), np.nan).T
    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 0.0)
    exponents = list(range(math.ceil(low), math.floor(high) + 1, max(1, math.ceil((high - low) / 5))))
    traces: list[Any] = [
        go.Heatmap(
            x=steps,
            y=np.arange(bins),
            z=heights,
            customdata=np.broadcast_to(_bin_names(edges)[:, None], heights.shape),
            colorscale=scale_list(theme.sequential),
            zmin=low,
            zmax=high if high > low else low + 1.0,
            hoverongaps=False,
            hovertemplate="step %{x}<br>%{customdata}<br>10^%{z:.2f} of the elements<extra></extra>",
            colorbar={
                "title": {"text": "share of elements", "side": "right"},
                "tickmode": "array",
                "tickvals": exponents,
                "ticktext": [percent(10.0**one) if one >= -3 else power_of_ten(one) for one in exponents],
            },
        )
    ]
    rows = np.flatnonzero(nonfinite)
    broken = NotFinite(
        name="elements", x=histograms.steps[rows], values=np.full(len(rows), np.nan), counts=nonfinite[rows]
    )
    traces += marks([broken], bins + 0.3, theme)
    notes = []
    if len(edges) < len(histograms.edges):
        notes.append(f"Magnitudes below {edges[bins // 2 + 1]:.1g} are together in the bin at 0.")
    if len(rows):
        notes.append(
            f"{counted(int(nonfinite.sum()), 'element')} in {len(rows)} of {len(histograms)} histograms not finite, "
            f"the first at step {int(histograms.steps[rows[0]]):,} (crosses); they are in no bin."
        )
    if stride > 1:
        notes.append(f"One of {stride} histograms is drawn.")
    return Panel(
        title=title,
        traces=traces,
        x={"title": {"text": "step"}, "showgrid": False, "exponentformat": "none", "separatethousands": True},
        y={
            "title": {"text": f"{_ELEMENTS.get(histograms.name, histograms.name)} (symmetric log scale)"},
            "showgrid": False,
            **_axis(edges),
        },
        notes=tuple(notes),
        legend=len(rows) > 0,
        legend_above=True,
    )


def _focus(
    counts: Int64[np.ndarray, "rows bins"], edges: Float[np.ndarray, " bins+1"]
) -> tuple[Int64[np.ndarray, "rows fewer"], Float[np.ndarray, " fewer+1"]]:
    """Cut off the empty bins outside, and put the nearly empty ones around zero into the bin at zero.

    The bins reach down to magnitudes where weights hardly ever are; drawn in full they would fill most of the picture
    with nothing. Bins are merged until they would hold more than one element in two hundred of any histogram.
    """
    centre = counts.shape[1] // 2
    used = np.flatnonzero(counts.any(axis=0))
    reach = int(np.abs(used - centre).max()) if len(used) else 1
    reach = min(centre, reach + 1)
    # Elements at each distance from the bin at zero, both signs together, without that bin itself.
    sides = counts[:, centre + 1 :] + counts[:, centre - 1 :: -1]
    totals = np.maximum(1, counts.sum(axis=1, keepdims=True))
    nearly_empty = (np.cumsum(sides, axis=1) / totals).max(axis=0) <= _NEARLY_EMPTY
    inner = min(int(nearly_empty.sum()), max(0, reach - _LEAST_BINS))
    merged = counts[:, centre - inner : centre + inner + 1].sum(axis=1, keepdims=True)
    left, right = slice(centre - reach, centre - inner), slice(centre + inner + 1, centre + reach + 1)
    return (
        np.concatenate([counts[:, left], merged, counts[:, right]], axis=1),
        np.concatenate([edges[centre - reach : centre - inner + 1], edges[centre + inner + 1 : centre + reach + 2]]),
    )


def _axis(edges: Float[np.ndarray, " bins+1"]) -> dict[str, Any]:
    """Ticks at powers of ten: bins are even in the logarithm, so positions are counted in bins."""
    middle = (len(edges) - 2) / 2
    positive = np.flatnonzero(edges > 0.0)
    logs = np.log10(edges[positive])
    # Position of an edge: half a bin below the centre of the bin that begins there.
    places = positive - 0.5
    lowest, highest = math.ceil(logs[0] - 1e-9), math.floor(logs[-1] + 1e-9)
    exponents = list(range(highest, lowest - 1, -max(1, math.ceil((highest - lowest + 1) / 4))))
    above = [(one, float(np.interp(one, logs, places))) for one in exponents]
    # The innermost labels must not run into the zero between them.
    clear = [(one, place) for one, place in above if place - middle > 0.06 * (len(edges) - middle)]
    upper = [(place, power_of_ten(one)) for one, place in reversed(clear)]
    lower = [(2 * middle - place, "−" + power_of_ten(one)) for one, place in clear]
    ticks = [*lower, (middle, "0"), *upper]
    return {
        "tickmode": "array",
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
    }


def _bin_names(edges: Float[np.ndarray, " bins+1"]) -> np.ndarray[Any, Any]:
    return np.array([f"{left:.3g} to {right:.3g}" for left, right in itertools.pairwise(edges)])
