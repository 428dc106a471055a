"""Bars and histograms of one panel: they share the room along their axis, so they are drawn together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.colours import parse_colour, readable_on
from optiscope.rendering.printing.page import LegendEntry, Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.text import POINTS_PER_PIXEL, lettering
from optiscope.rendering.printing.traces.error_bars import ERROR_BARS, draw_error_bars
from optiscope.rendering.printing.traces.histogram import binned, shared_bins
from optiscope.rendering.printing.traces.lines import edge_colours, marker_colours
from optiscope.rendering.printing.vocabulary import Vocabulary, cannot_draw

_LOOK = f"""
    xaxis yaxis opacity visible zorder orientation width offset offsetgroup alignmentgroup base
    marker.color marker.opacity marker.line.color marker.line.width marker.cauto marker.cmin marker.cmax marker.cmid
    marker.colorscale marker.autocolorscale marker.reversescale marker.showscale marker.colorbar.* marker.coloraxis
    text textposition textfont.* insidetextfont.* outsidetextfont.* textangle legend legendgroup legendgrouptitle.*
    legendrank showlegend {ERROR_BARS}
    """

_LOOK_VALUES: dict[str, tuple[object, ...]] = {
    "marker.pattern.shape": ("",),
    "constraintext": ("both", "none", "inside", "outside"),
    "insidetextanchor": ("end",),
    "cliponaxis": (True, False),
    "textangle": ("auto", 0, 0.0),
    "marker.cornerradius": (0,),
}
_PATTERN = "marker.pattern.fillmode marker.pattern.size marker.pattern.solidity legendwidth"

BAR = Vocabulary.of(f"x y x0 dx y0 dy {_LOOK}", values=_LOOK_VALUES, harmless=_PATTERN)
HISTOGRAM = Vocabulary.of(
    f"x y {_LOOK} nbinsx nbinsy xbins.* ybins.* bingroup autobinx autobiny",
    values={
        **_LOOK_VALUES,
        "histfunc": ("count",),
        "histnorm": ("", "percent", "probability", "density", "probability density"),
        "cumulative.enabled": (False,),
    },
    harmless=f"{_PATTERN} cumulative.direction cumulative.currentbin",
)


def is_horizontal(trace: Part) -> bool:
    """Whether the bars lie."""
    asked = trace.raw("orientation")
    if asked is not None:
        return asked == "h"
    return trace.text("type") == "histogram" and trace.column("x") is None


def columns(trace: Part) -> tuple[Sequence[object] | np.ndarray | None, Sequence[object] | np.ndarray | None]:
    """The x and y data as they decide the kind of the axes; a histogram has none along its counts."""
    x, y = trace.column("x"), trace.column("y")
    if trace.text("type") == "histogram":
        return (None, y) if is_horizontal(trace) else (x, None)
    if x is None and y is not None:
        x = trace.number("x0", 0.0) + trace.number("dx", 1.0) * np.arange(len(y))
    if y is None and x is not None:
        y = trace.number("y0", 0.0) + trace.number("dy", 1.0) * np.arange(len(x))
    return x, y


@dataclass(slots=True, kw_only=True)
class _Bars:
    """The bars of one trace while they are being placed; lengths and positions in axis units."""

    trace: Part
    number: int
    horizontal: bool
    places: np.ndarray
    lengths: np.ndarray
    widths: np.ndarray
    left: np.ndarray
    base: np.ndarray


def draw(traces: Sequence[tuple[int, Part]], panel: Panel, page: Page) -> None:
    """Draw all bars and histograms of a panel."""
    for horizontal in (False, True):
        own = [(number, trace) for number, trace in traces if is_horizontal(trace) == horizontal]
        if own:
            bars = _read(own, panel, page, horizontal)
            _share_room(bars, page, only_histograms=all(t.text("type") == "histogram" for _, t in own))
            _stack(bars, page.layout.text("barmode", "group"))
            for group in bars:
                _draw_one(group, panel, page)


def _read(traces: Sequence[tuple[int, Part]], panel: Panel, page: Page, horizontal: bool) -> list[_Bars]:
    along, up = (panel.y, panel.x) if horizontal else (panel.x, panel.y)
    bins = shared_bins([t for _, t in traces], along, together=page.layout.text("barmode", "group") != "overlay")
    found = []
    for number, trace in traces:
        if trace.text("type") == "histogram":
            places, lengths, width = binned(trace, along, bins[id(trace)])
        else:
            x, y = columns(trace)
            if x is None or y is None:
                continue
            count = min(len(x), len(y))
            positions, values = (y, x) if horizontal else (x, y)
            places, lengths, width = along.units(positions[:count]), _amounts(values[:count], up), np.nan
        nothing = np.zeros(len(places))
        found.append(
            _Bars(
                trace=trace, number=number, horizontal=horizontal, places=places, lengths=lengths,
                widths=np.full(len(places), width), left=nothing.copy(), base=nothing.copy(),
            )
        )  # fmt: skip
    return found


def _amounts(values: Sequence[object] | np.ndarray, axis: Axis) -> np.ndarray:
    if axis.kind not in ("linear", "log"):
        raise ArgumentError(
            f"Bars need numbers along {axis.identifier}, which is a {axis.kind} axis. Received: {axis.kind!r}."
        )
    return axis.coordinates(values)


def _share_room(bars: list[_Bars], page: Page, *, only_histograms: bool) -> None:
    mode = page.layout.text("barmode", "group")
    gap = page.layout.number("bargap", 0.0 if only_histograms else 0.2)
    between = page.layout.number("bargroupgap", 0.0)
    known = np.unique(np.concatenate([group.places[np.isfinite(group.places)] for group in bars]))
    nearest = float(np.diff(known).min()) if known.size > 1 else 1.0
    if only_histograms:
        nearest = min((float(group.widths[0]) for group in bars if len(group.widths)), default=nearest)
    slots: dict[str, int] = {}
    for group in bars:
        name = group.trace.text("offsetgroup") or f"own {group.number}"
        slots.setdefault(name if mode == "group" else "one", len(slots))
    slot_width = nearest * (1.0 - gap) / len(slots)
    for group in bars:
        name = group.trace.text("offsetgroup") or f"own {group.number}"
        slot = slots[name if mode == "group" else "one"]
        start = -nearest * (1.0 - gap) / 2 + slot * slot_width
        width = slot_width * (1.0 - between)
        count = len(group.places)
        group.widths = group.trace.numbers("width", count, width)
        centred = start + slot_width / 2 - group.widths / 2
        group.left = group.places + (
            group.trace.numbers("offset", count, 0.0) if group.trace.raw("offset") is not None else centred
        )


def _stack(bars: list[_Bars], mode: str) -> None:
    if mode not in ("group", "overlay", "stack", "relative"):
        raise cannot_draw("layout", "barmode", mode, drawable=("group", "overlay", "stack", "relative"))
    reached: dict[tuple[float, bool], float] = defaultdict(float)
    for group in bars:
        if mode in ("group", "overlay"):
            group.base = group.trace.numbers("base", len(group.places), 0.0)
            continue
        for index, (place, length) in enumerate(zip(group.places, group.lengths, strict=True)):
            if not np.isfinite(length):
                continue
            key = (float(place), mode == "relative" and length < 0)
            group.base[index] = reached[key]
            reached[key] += float(length)


def _draw_one(group: _Bars, panel: Panel, page: Page) -> None:
    trace = group.trace
    along, up = (panel.y, panel.x) if group.horizontal else (panel.x, panel.y)
    count = len(group.places)
    faces = marker_colours(trace, page, count, default=page.colour_of(group.number))
    faces[:, 3] *= trace.numbers("marker.opacity", count, 1.0) * trace.number("opacity", 1.0)
    widths = trace.numbers("marker.line.width", count, 0.0) * POINTS_PER_PIXEL
    edges = edge_colours(trace, count, trace.number("opacity", 1.0))
    edges[widths <= 0, 3] = 0.0
    shown = np.isfinite(group.places) & np.isfinite(group.lengths)
    floor = 1e-300 if up.kind == "log" else 0.0
    rectangles = []
    for index in np.flatnonzero(shown):
        ends = along.from_units(np.array([group.left[index], group.left[index] + group.widths[index]]))
        bottom = max(group.base[index], floor) if up.kind == "log" else group.base[index]
        top = group.base[index] + group.lengths[index]
        corner, size = (float(ends[0]), float(bottom)), (float(ends[1] - ends[0]), float(top - bottom))
        rectangles.append(Rectangle(corner[::-1], size[1], size[0]) if group.horizontal else Rectangle(corner, *size))
    depth = 2.0 + 1e-3 * trace.number("zorder", 0) + 1e-6 * group.number
    collection = PatchCollection(rectangles, match_original=False, zorder=depth, label=f"_bars {group.number}")
    collection.set_facecolor(faces[shown])
    collection.set_edgecolor(edges[shown])
    collection.set_linewidth(widths[shown])
    panel.axes.add_collection(collection, autolim=False)
    _reach(group, along, up)
    along.grid_by_default = False
    middle = along.from_units(group.left + group.widths / 2)
    tops = group.base + group.lengths
    x, y = (tops, middle) if group.horizontal else (middle, tops)
    draw_error_bars(trace, x, y, panel, colour=parse_colour("#444"), depth=depth)
    _write(group, x, y, faces, panel, page, depth)
    face = tuple(faces[0]) if count else page.colour_of(group.number)
    swatch = Line2D([], [], linestyle="none", marker="s", markersize=9.0, markerfacecolor=face, markeredgecolor="none")
    page.legend_entries.append(LegendEntry(trace=trace, number=group.number, handle=swatch))


def _reach(group: _Bars, along: Axis, up: Axis) -> None:
    along.show(np.concatenate([group.left, group.left + group.widths]))
    if along.kind == "category":
        along.show(np.concatenate([group.places - 0.5, group.places + 0.5]))
    tops = group.base + group.lengths
    if up.kind == "log":
        tops = np.log10(np.where(tops > 0, tops, np.nan))
        up.show(tops, padded=True)
        return
    up.show(tops, padded=True)
    up.show(group.base)
    up.touches_zero = True


def _write(
    group: _Bars, x: np.ndarray, y: np.ndarray, faces: np.ndarray, panel: Panel, page: Page, depth: float
) -> None:
    trace = group.trace
    given = trace.column("text")
    where = trace.text("textposition", "auto")
    if (given is None and not trace.text("text")) or where == "none":
        return
    texts = list(given) if given is not None else [trace.text("text")] * len(x)
    inside = where in ("inside", "auto")
    font = page.font.of(trace, "textfont").of(trace, "insidetextfont" if inside else "outsidetextfont")
    for index, text in enumerate(texts[: len(x)]):
        if text in (None, "") or not np.isfinite(x[index] + y[index]):
            continue
        down = group.lengths[index] < 0
        towards = (-1.0 if inside else 1.0) * (-1.0 if down else 1.0)
        shift = (3.0 * towards, 0.0) if group.horizontal else (0.0, 3.0 * towards)
        artist = panel.axes.annotate(
            "", (x[index], y[index]), xytext=shift, textcoords="offset points", zorder=depth + 0.1,
            ha=("left" if towards > 0 else "right") if group.horizontal else "center",
            va="center" if group.horizontal else ("bottom" if towards > 0 else "top"),
        )  # fmt: skip
        lettering(str(text), font, part=trace.name).dress(artist)
        if inside and trace.raw("textfont.color") is None and trace.raw("insidetextfont.color") is None:
            artist.set_color(readable_on(faces[index]))
