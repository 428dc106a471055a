"""Scatter traces: lines, markers, texts, and the bands between lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from optiscope.rendering.printing.axis import finite_numbers
from optiscope.rendering.printing.colours import Rgba, parse_colour, with_opacity
from optiscope.rendering.printing.page import LegendEntry, Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import line_style, marker_diameters, marker_of, points
from optiscope.rendering.printing.text import POINTS_PER_PIXEL, lettering
from optiscope.rendering.printing.traces.error_bars import ERROR_BARS, draw_error_bars
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    f"""
    x y x0 dx y0 dy xaxis yaxis mode text textfont.* textposition opacity visible connectgaps fillcolor zorder
    line.color line.dash line.width
    marker.color marker.size marker.sizemin marker.sizemode marker.sizeref marker.symbol marker.opacity
    marker.line.color marker.line.width marker.cauto marker.cmin marker.cmax marker.cmid marker.colorscale
    marker.autocolorscale marker.reversescale marker.showscale marker.colorbar.* marker.coloraxis
    legend legendgroup legendgrouptitle.* legendrank showlegend {ERROR_BARS}
    """,
    values={
        "line.shape": ("linear", "hv", "vh", "hvh", "vhv"),
        "fill": ("none", "tozeroy", "tozerox", "tonexty", "tonextx", "toself"),
        "orientation": ("v", "h"),
        "fillpattern.shape": ("",),
        "stackgroup": ("",),
        "xcalendar": ("gregorian",),
        "ycalendar": ("gregorian",),
        "xperiodalignment": (),
        "cliponaxis": (True, False),
        "line.backoff": (0,),
        "marker.angle": (0,),
        "marker.maxdisplayed": (0,),
        "marker.standoff": (0,),
        "marker.gradient.type": ("none",),
    },
    harmless="""
    line.simplify fillpattern.fillmode fillpattern.size fillpattern.solidity marker.angleref
    legendwidth alignmentgroup offsetgroup
    """,
)

_STEPS: dict[str, Literal["steps-post", "steps-pre", "steps-mid"]] = {
    "hv": "steps-post",
    "vh": "steps-pre",
    "hvh": "steps-mid",
}


def columns(trace: Part) -> tuple[Sequence[object] | np.ndarray, Sequence[object] | np.ndarray]:
    """The x and y data; a missing one counts up."""
    x, y = trace.column("x"), trace.column("y")
    count = min(len(column) for column in (x, y) if column is not None) if x is not None or y is not None else 0
    if x is None:
        x = trace.number("x0", 0.0) + trace.number("dx", 1.0) * np.arange(count)
    if y is None:
        y = trace.number("y0", 0.0) + trace.number("dy", 1.0) * np.arange(count)
    return x[:count], y[:count]


class LineDrawer:
    """Draws the scatter traces of a figure; it remembers each panel's last line, which "tonexty" fills down to."""

    def __init__(self) -> None:
        self.before: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}

    def draw(self, trace: Part, number: int, panel: Panel, page: Page) -> None:
        """Draw one scatter trace."""
        raw_x, raw_y = columns(trace)
        x, y = panel.x.coordinates(raw_x), panel.y.coordinates(raw_y)
        if trace.flag("connectgaps", default=False):
            present = np.isfinite(x) & np.isfinite(y)
            x, y = x[present], y[present]
        mode = trace.text("mode", "lines+markers" if len(x) < 20 else "lines").split("+")
        fill = trace.text("fill", "none")
        own = page.colour_of(number)
        marker_colour = trace.raw("marker.color")
        fallback = parse_colour(marker_colour) if isinstance(marker_colour, str) else own
        colour = parse_colour(trace.text("line.color")) if trace.raw("line.color") is not None else fallback
        opacity = trace.number("opacity", 1.0)
        depth = 3.0 + 1e-3 * trace.number("zorder", 0) + 1e-6 * number
        handles: list[Artist] = []
        band = self._fill(trace, fill, x, y, panel, colour, opacity)
        if band is not None:
            band.set_zorder(depth - 0.5)
            handles.append(Patch(facecolor=_rgba(np.asarray(band.get_facecolor())[0]), edgecolor="none"))
        if "lines" in mode:
            handles.append(_line(trace, x, y, panel, with_opacity(colour, opacity), depth))
        if "markers" in mode:
            handles.append(_markers(trace, x, y, panel, page, colour=colour, opacity=opacity, depth=depth + 1e-7))
        if "text" in mode:
            _texts(trace, x, y, panel, page, depth)
        draw_error_bars(trace, x, y, panel, colour=with_opacity(fallback, opacity), depth=depth)
        self._reach(trace, raw_x, raw_y, mode, fill, panel)
        if handles:
            page.legend_entries.append(
                LegendEntry(trace=trace, number=number, handle=handles[0] if len(handles) == 1 else _Together(handles))  # type: ignore[arg-type]
            )

    def _fill(
        self, trace: Part, fill: str, x: np.ndarray, y: np.ndarray, panel: Panel, line: Rgba, opacity: float
    ) -> PolyCollection | PathCollection | None:
        key = (panel.x.name, panel.y.name)
        before = self.before.get(key)
        self.before[key] = (x, y)
        if fill == "none":
            return None
        if fill in ("tonexty", "tonextx") and before is None:
            fill = {"tonexty": "tozeroy", "tonextx": "tozerox"}[fill]
        colour = trace.raw("fillcolor")
        face = with_opacity(parse_colour(colour) if colour is not None else with_opacity(line, 0.5), opacity)
        floor_y, floor_x = (1e-300 if axis.kind == "log" else 0.0 for axis in (panel.y, panel.x))
        outlines: list[np.ndarray] = []
        for piece in _pieces(x, y):
            px, py = _stepped(x[piece], y[piece], trace.text("line.shape", "linear"))
            match fill:
                case "tozeroy":
                    outline = (np.concatenate([px, px[::-1]]), np.concatenate([py, np.full(len(py), floor_y)]))
                case "tozerox":
                    outline = (np.concatenate([px, np.full(len(px), floor_x)]), np.concatenate([py, py[::-1]]))
                case _:
                    outline = (px, py)
            outlines.append(np.column_stack(outline))
        if fill in ("tonexty", "tonextx") and before is not None:
            outlines = [_between(trace, (x, y), before)]
        band: PolyCollection | PathCollection
        if fill == "toself":
            # One path for all pieces, as in a browser: a piece that runs the other way round within another is a hole.
            whole = Path.make_compound_path(*(Path(np.vstack([o, o[:1]]), closed=True) for o in outlines if len(o)))
            band = PathCollection([whole], facecolors=[face], edgecolors="none", linewidths=0.0)
        else:
            band = PolyCollection(outlines, facecolors=[face], edgecolors="none", closed=True)
        panel.axes.add_collection(band, autolim=False)
        return band

    def _reach(
        self, trace: Part, raw_x: Sequence[object] | np.ndarray, raw_y: Sequence[object] | np.ndarray,
        mode: list[str], fill: str, panel: Panel,
    ) -> None:  # fmt: skip
        shown = "markers" in mode
        sizes = marker_diameters(trace, "marker", len(raw_x)) if shown else np.zeros(1)
        room = 0.8 * float(sizes.max(initial=0.0)) / 0.75 if shown else 0.0
        along_x, along_y = fill in ("tozeroy", "tonexty"), fill in ("tozerox", "tonextx")
        bare = not shown and "text" not in mode
        free_x = trace.flag("error_y.visible", default=trace.raw("error_y.array") is not None)
        # Plotly ends an area, and a line without markers, at the very end of the axis.
        panel.x.show(panel.x.units(raw_x), room=room, padded=free_x or not (along_x or bare))
        panel.y.show(panel.y.units(raw_y), room=room, padded=not along_y)
        panel.y.touches_zero |= fill == "tozeroy"
        panel.x.touches_zero |= fill == "tozerox"


class _Together(tuple):  # type: ignore[type-arg]
    """Several legend miniatures on top of each other, as matplotlib wants them: a tuple."""

    __slots__ = ()

    def __new__(cls, handles: Sequence[Artist]) -> _Together:
        return super().__new__(cls, handles)


def _line(trace: Part, x: np.ndarray, y: np.ndarray, panel: Panel, colour: Rgba, depth: float) -> Line2D:
    shape = trace.text("line.shape", "linear")
    style, width = line_style(trace), points(trace.number("line.width", 2.0))
    if shape == "vhv":
        x, y = _stepped(x, y, shape)
    line = Line2D(
        x, y, color=colour, linewidth=width, linestyle=style, zorder=depth,
        drawstyle=_STEPS.get(shape, "default"), solid_joinstyle="round", solid_capstyle="butt",
    )  # fmt: skip
    panel.axes.add_line(line)
    return Line2D([], [], color=colour, linewidth=width, linestyle=style)


def _markers(
    trace: Part, x: np.ndarray, y: np.ndarray, panel: Panel, page: Page, *, colour: Rgba, opacity: float, depth: float
) -> Artist:
    count = len(x)
    present = np.isfinite(x) & np.isfinite(y)
    faces = marker_colours(trace, page, count, default=colour)
    bubbles = trace.column("marker.size") is not None
    faces[:, 3] *= trace.numbers("marker.opacity", count, 0.7 if bubbles else 1.0) * opacity
    diameters = marker_diameters(trace, "marker", count)
    edges = edge_colours(trace, count, opacity)
    widths = trace.numbers("marker.line.width", count, 0.0) * POINTS_PER_PIXEL
    symbols = trace.column("marker.symbol")
    names = [trace.text("marker.symbol", "circle")] if symbols is None else [str(symbol) for symbol in symbols]
    each = np.resize(np.array(names, dtype=object), count)
    for name in dict.fromkeys(each.tolist()):
        chosen = present & (each == name)
        marker, filled = marker_of(name)
        # A thin sign is nothing but its outline, so it has the outline's colour; matplotlib asks for it as the face.
        thin = not marker.is_filled()
        stroke = edges if thin and not name.endswith("-open") else faces
        # What `axes.scatter` makes, without the extent of the data, which our axes do not ask for.
        dots = PathCollection(
            (marker.get_path().transformed(marker.get_transform()),),
            diameters[chosen] ** 2,
            offsets=np.column_stack([x[chosen], y[chosen]]),
            offset_transform=panel.axes.transData,
            facecolors=stroke[chosen] if thin else faces[chosen] if filled else "none",
            edgecolors="face" if thin else edges[chosen] if filled else faces[chosen],
            linewidths=widths[chosen] if filled else np.maximum(widths[chosen], 0.75),
            zorder=depth,
        )
        dots.set_transform(IdentityTransform())
        panel.axes.add_collection(dots, autolim=False)
        dots.set_clip_on(trace.flag("cliponaxis", default=True))
    marker, filled = marker_of(names[0] if names else "circle")
    face: Rgba = _rgba(faces[0]) if count else colour
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=float(np.clip(diameters[0], 2.0, 12.0)) if count else 4.5,
        markerfacecolor=face if filled else "none",
        markeredgecolor=_rgba(edges[0]) if filled and count else face,
        markeredgewidth=float(widths[0]) if filled and count else 0.75,
    )


def _rgba(row: np.ndarray) -> Rgba:
    red, green, blue, alpha = (float(channel) for channel in row)
    return (red, green, blue, alpha)


def marker_colours(
    trace: Part, page: Page, count: int, *, default: Rgba, path: str = "marker"
) -> Float[np.ndarray, "count 4"]:
    """The colour of each marker: one for all, one each, or numbers through a colour scale."""
    given = trace.column(f"{path}.color")
    if given is None:
        single = trace.raw(f"{path}.color")
        if isinstance(single, int | float) and not isinstance(single, bool):
            given = [single] * count
        else:
            return np.tile(np.array(parse_colour(single) if single is not None else default), (count, 1))
    listed = list(given[:count])
    if any(isinstance(value, str) for value in listed):
        colours = np.array([parse_colour(value) if value is not None else default for value in listed])
        return np.resize(colours, (count, 4))
    numbers = finite_numbers(given)[:count]
    mapping = page.mapping(trace.part(path), numbers, letter="c")
    colours = mapping.colours(np.resize(numbers, count))
    # A marker without a number is grey, as plotly draws it: the point exists, its value does not.
    colours[np.isnan(np.resize(numbers, count))] = (0.5, 0.5, 0.5, 1.0)
    return colours


def edge_colours(trace: Part, count: int, opacity: float) -> Float[np.ndarray, "count 4"]:
    """The colour of the outline of each marker or bar."""
    given = trace.column("marker.line.color")
    listed = [trace.text("marker.line.color", "#444")] if given is None or not len(given) else list(given)
    colours = np.array([with_opacity(parse_colour(value), opacity) for value in listed])
    return np.resize(colours, (count, 4))


_PLACES = {"left": "right", "center": "center", "right": "left"}


def _texts(trace: Part, x: np.ndarray, y: np.ndarray, panel: Panel, page: Page, depth: float) -> None:
    given = trace.column("text")
    texts = list(given) if given is not None else [trace.text("text")] * len(x)
    font = page.font.of(trace, "textfont")
    position = trace.text("textposition", "middle center")
    vertical, _, horizontal = position.partition(" ")
    shift = {"top": 1.0, "middle": 0.0, "bottom": -1.0}[vertical]
    side = {"left": -1.0, "center": 0.0, "right": 1.0}[horizontal or "center"]
    reach = float(marker_diameters(trace, "marker", 1)[0]) / 2 + 2.0 if "markers" in trace.text("mode") else 2.0
    for px, py, text in zip(x, y, texts, strict=False):
        if text in (None, "") or not (np.isfinite(px) and np.isfinite(py)):
            continue
        artist = panel.axes.annotate(
            "", (px, py), xytext=(side * reach, shift * reach), textcoords="offset points", zorder=depth,
            ha=_PLACES[horizontal or "center"], va={"top": "bottom", "middle": "center", "bottom": "top"}[vertical],
            annotation_clip=True,
        )  # fmt: skip
        lettering(str(text), font, part=trace.name).dress(artist)


def _pieces(x: np.ndarray, y: np.ndarray) -> list[slice]:
    """The runs between gaps."""
    present = np.concatenate([[False], np.isfinite(x) & np.isfinite(y), [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(present) == 1), np.flatnonzero(np.diff(present) == -1)
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _between(trace: Part, own: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The outline of the band between this line and the one before; points in gaps are passed over, as plotly does."""
    shape = trace.text("line.shape", "linear")
    halves = []
    for x, y in (own, other):
        present = np.isfinite(x) & np.isfinite(y)
        halves.append(np.column_stack(_stepped(x[present], y[present], shape)))
    return np.concatenate([halves[0], halves[1][::-1]])


def _stepped(x: np.ndarray, y: np.ndarray, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a stepped line, for fills."""
    if shape == "linear" or len(x) < 2:
        return x, y
    if shape == "hv":
        return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    if shape == "vh":
        return np.repeat(x, 2)[:-1], np.repeat(y, 2)[1:]
    if shape == "vhv":
        middle = (y[1:] + y[:-1]) / 2
        return np.repeat(x, 2), np.concatenate([y[:1], np.repeat(middle, 2), y[-1:]])
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([x[:1], np.repeat(middle, 2), x[-1:]]), np.repeat(y, 2)
