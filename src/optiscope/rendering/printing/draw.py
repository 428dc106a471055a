"""From a plotly figure to a matplotlib figure: the order in which the parts are drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from optiscope.errors import ArgumentError, CannotDraw, UnknownName
from optiscope.rendering.printing.annotations import draw_annotation
from optiscope.rendering.printing.axis import VOCABULARY as AXIS_VOCABULARY
from optiscope.rendering.printing.axis import Axis, axis_kind, collect_categories, set_range
from optiscope.rendering.printing.colourbar import draw_colour_bar, place_colour_bar
from optiscope.rendering.printing.decorations import draw_edge, draw_grid, prepare
from optiscope.rendering.printing.legend import draw_legends
from optiscope.rendering.printing.page import Page, Panel, new_page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.scale_anchor import keep_proportions
from optiscope.rendering.printing.scene import Scene, draw_scene, is_scene_trace, scene_values
from optiscope.rendering.printing.settings import own_settings
from optiscope.rendering.printing.shapes import draw_shape
from optiscope.rendering.printing.specification import Specification, specification_of
from optiscope.rendering.printing.title import draw_title
from optiscope.rendering.printing.traces.kinds import CARTESIAN_KINDS, SCENE_KINDS, coloured_values, draw_panel
from optiscope.rendering.printing.vocabulary import Vocabulary

LAYOUT = Vocabulary.of(
    """
    annotations annotationdefaults.* autosize autotypenumbers bargap bargroupgap barmode coloraxis.* colorscale.*
    colorway font.* grid.* height legend.* margin.b margin.l margin.r margin.t paper_bgcolor plot_bgcolor
    scene.* shapes shapedefaults.* showlegend template title.font.* title.pad.* title.subtitle.* title.text title.x
    title.xanchor title.xref title.y title.yanchor title.yref title.automargin width xaxis.* yaxis.* frames sliders
    updatemenus
    """,
    values={"margin.pad": (0, 0.0), "images": ([],), "selections": ([],), "barnorm": ("",), "separators": (".,", ".")},
    harmless="computed datarevision hidesources meta meta.* margin.autoexpand minreducedheight minreducedwidth",
)

_NUMBERED = ("xaxis", "yaxis", "coloraxis", "scene", "legend")


def draw(figure: go.Figure, *, width_px: float | None, height_px: float | None, frame: str | None) -> Figure:
    """Draw the figure; see `optiscope.rendering.printing.figure_to_matplotlib`."""
    specification = specification_of(figure)
    _refuse_movement(specification, frame)
    check_layout(specification)
    layout = specification.layout
    width = float(width_px) if width_px is not None else layout.number("width", 700.0)
    height = float(height_px) if height_px is not None else layout.number("height", 500.0)
    if not (10 <= width <= 20_000 and 10 <= height <= 20_000):
        raise ArgumentError(f"A figure is 10 to 20000 pixels wide and high. Received: {width:g} × {height:g}.")
    with own_settings():
        page = new_page(specification, width=width, height=height)
        draw_page(page)
        return page.figure


def draw_page(page: Page) -> None:
    """Draw everything that the page's specification says onto the empty page."""
    shown = shown_traces(page.specification)
    check_traces(shown)
    flat = [(number, trace) for number, trace in shown if not is_scene_trace(trace)]
    make_axes(page, [trace for _, trace in flat])
    page.share_mappings(shared_values(shown))
    for key, panel in list(page.panels.items()):
        draw_panel([(n, t) for n, t in flat if axis_names(t) == key], panel, page)
    scenes = [
        draw_scene(name, [(n, t) for n, t in shown if is_scene_trace(t) and t.text("scene", "scene") == name], page)
        for name in scene_values([trace for _, trace in shown])
    ]
    settle(page, scenes)
    draw_surroundings(page)


def shown_traces(specification: Specification) -> list[tuple[int, Part]]:
    """The traces that are drawn or stand in the legend, each with its place in the figure."""
    return [
        (number, trace)
        for number, trace in enumerate(specification.traces)
        if trace.raw("visible") in (None, True, "legendonly")
    ]


def _refuse_movement(specification: Specification, frame: str | None) -> None:
    if frame not in (None, "first"):
        raise UnknownName.among(frame, ["first"], kind="frame of a printed figure")
    if specification.moving_parts and frame is None:
        raise CannotDraw(
            f"The figure moves (it has {', '.join(specification.moving_parts)}), and paper does not. "
            'Save it as .html instead, or pass frame="first" to print its initial state.'
        )


def check_layout(specification: Specification) -> None:
    """Raise `CannotDraw` for what the layout has and the printer cannot draw."""
    plain: dict[str, object] = {}
    for key, value in specification.layout.properties.items():
        base = key.rstrip("0123456789")
        if base not in _NUMBERED:
            plain[key] = {"text": value} if key == "title" and isinstance(value, str) else value
    LAYOUT.check(plain, part="layout")


def check_traces(shown: Sequence[tuple[int, Part]]) -> None:
    """Raise `CannotDraw` for a trace, or an attribute of one, that the printer cannot draw."""
    for _, trace in shown:
        kind = trace.text("type", "scatter")
        vocabulary = CARTESIAN_KINDS[kind].vocabulary if kind in CARTESIAN_KINDS else SCENE_KINDS.get(kind)
        if vocabulary is None:
            drawable = ", ".join(sorted([*CARTESIAN_KINDS, *SCENE_KINDS]))
            raise CannotDraw(
                f"The printer (.png, .svg, .pdf) cannot draw {kind!r} traces. It draws: {drawable}. "
                f"Save the figure as .html instead. Received: {trace.name}."
            )
        vocabulary.check(trace.properties, part=trace.name)


def axis_names(trace: Part) -> tuple[str, str]:
    """The pair of axes that a trace lies on, such as ("xaxis", "yaxis2")."""
    x, y = trace.text("xaxis", "x"), trace.text("yaxis", "y")
    return f"xaxis{x[1:]}", f"yaxis{y[1:]}"


def make_axes(page: Page, traces: Sequence[Part]) -> None:
    """Make every axis that a trace or the layout names, and one panel for each pair that meets."""
    pairs = _pairs(page.specification, traces)
    names = dict.fromkeys(name for pair in pairs for name in pair)
    columns: dict[str, list[Sequence[object] | np.ndarray]] = defaultdict(list)
    for trace in traces:
        x, y = CARTESIAN_KINDS[trace.text("type", "scatter")].columns(trace)
        for name, column in zip(axis_names(trace), (x, y), strict=True):
            if column is not None:
                columns[name].append(column)
    parts = {name: page.specification.numbered(name[:5], name) for name in names}
    for name, part in parts.items():
        AXIS_VOCABULARY.check(part.properties, part=part.name)
        beneath = _named(part.text("overlaying"))
        own = part.column("domain")
        limits = own if own is not None or beneath not in parts else parts[beneath].column("domain")
        family = [other for other in parts if _family(parts, other) == _family(parts, name)]
        seen = [column for member in family for column in columns[member]]
        leader = parts.get(_family(parts, name), part)
        kind = axis_kind(part if part.raw("type") is not None else leader, seen, layout=page.layout)
        axis = Axis(name=name, part=part, kind=kind)
        if limits is not None:
            axis.domain = (float(limits[0]), float(limits[1]))  # type: ignore[arg-type]
        if kind == "category":
            axis.categories = collect_categories(part, seen)
        wide, high = page.area_size
        axis.length = max((axis.domain[1] - axis.domain[0]) * (wide if name[0] == "x" else high), 20.0)
        page.axes[name] = axis
    for number, (x, y) in enumerate(pairs):
        axes = page.figure.add_axes((0.0, 0.0, 1.0, 1.0), label=f"panel {x} {y}", zorder=float(number) * 1e-3)
        axes.set_xscale("log" if page.axes[x].kind == "log" else "linear")
        axes.set_yscale("log" if page.axes[y].kind == "log" else "linear")
        prepare(axes)
        stacked = any(
            (page.axes[x].domain, page.axes[y].domain) == (p.x.domain, p.y.domain) for p in page.panels.values()
        )
        axes.set_facecolor((0.0, 0.0, 0.0, 0.0) if stacked else page.ground)
        page.panels[(x, y)] = Panel(x=page.axes[x], y=page.axes[y], axes=axes)


def _pairs(specification: Specification, traces: Sequence[Part]) -> list[tuple[str, str]]:
    found = [axis_names(trace) for trace in traces]
    named = [key for key in specification.own_layout.properties if key[:5] in ("xaxis", "yaxis")]
    for name in named:
        anchor = specification.own_layout.text(f"{name}.anchor")
        if anchor in ("", "free"):
            continue
        pair = (name, _named(anchor)) if name[0] == "x" else (_named(anchor), name)
        met = any(name in other for other in found)
        if not met:
            found.append(pair)
    if not found and not any(is_scene_trace(trace) for trace in specification.traces):
        found = [("xaxis", "yaxis")]
    unique = list(dict.fromkeys(found))
    overlaid = [
        pair
        for pair in unique
        if specification.own_layout.raw(f"{pair[1]}.overlaying")
        or specification.own_layout.raw(f"{pair[0]}.overlaying")
    ]
    return [pair for pair in unique if pair not in overlaid] + overlaid


def _named(reference: str) -> str:
    return f"{reference[:1]}axis{reference[1:]}" if reference and reference != "free" else ""


def _family(parts: dict[str, Part], name: str) -> str:
    """The axis at the end of a chain of `matches`; axes with the same one share range and categories."""
    seen: list[str] = []
    while name in parts and name not in seen and parts[name].raw("matches"):
        seen.append(name)
        name = _named(parts[name].text("matches"))
    return name


def shared_values(shown: Sequence[tuple[int, Part]]) -> dict[str, list[np.ndarray]]:
    """The numbers that are coloured by each colour axis."""
    values: dict[str, list[np.ndarray]] = defaultdict(list)
    for _, trace in shown:
        for name, array in coloured_values(trace):
            values[name].append(array)
    return values


def settle(page: Page, scenes: list[Scene]) -> None:
    """Ranges, then axes, colour bars and legends; the margins grow until it all fits."""
    families: dict[str, list[Axis]] = defaultdict(list)
    parts = {name: axis.part for name, axis in page.axes.items()}
    for name, axis in page.axes.items():
        families[_family(parts, name)].append(axis)
    for members in families.values():
        set_range(members)
    bars = [(request, *draw_colour_bar(request, page)) for request in page.colour_bars]
    ranges = {name: axis.range for name, axis in page.axes.items()}
    domains = {name: axis.domain for name, axis in page.axes.items()}
    passing: list[Artist] = []
    for attempt in range(6):
        for artist in passing:
            artist.remove()
        for name, axis in page.axes.items():
            axis.range, axis.domain = ranges[name], domains[name]
        for axis in page.axes.values():
            wide, high = page.area_size
            axis.length = max((axis.domain[1] - axis.domain[0]) * (wide if axis.letter == "x" else high), 1.0)
        keep_proportions(page)
        for panel in page.panels.values():
            panel.axes.set_position(page.place(panel.x.domain, panel.y.domain))
        for scene in scenes:
            scene.place(page)
        for request, axes, _ in bars:
            place_colour_bar(request, axes, page)
        passing = [grid for axis in page.axes.values() for grid in draw_grid(axis, page)]
        for axis in page.axes.values():
            draw_edge(axis, page)
        legends = draw_legends(page)
        passing += legends
        around = [panel.axes for panel in page.panels.values()] + [axes for _, axes, _ in bars]
        if attempt == 5 or not _grow_margins(page, around, legends):
            break


SURROUNDINGS = ("shapes", "annotations", "title")
"""The parts of the layout that `draw_surroundings` draws."""


def draw_surroundings(page: Page, parts: Collection[str] = SURROUNDINGS) -> list[Artist]:
    """Shapes, annotations and the title, or some of them, on a page that has settled; what was drawn."""
    made: list[Artist | None] = []
    if "shapes" in parts:
        made += [draw_shape(shape, page) for shape in page.specification.items("shapes")]
    if "annotations" in parts:
        made += [draw_annotation(annotation, page) for annotation in page.specification.items("annotations")]
    if "title" in parts:
        made += draw_title(page)
    return [artist for artist in made if artist is not None]


def _grow_margins(page: Page, around: Sequence[Axes], legends: Sequence[Artist]) -> bool:
    """Widen the margins where labels, colour bars or legends leave the sheet. Whether anything changed."""
    renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [legend.get_window_extent(renderer) for legend in legends]
    for axes in around:
        boxes += _writing(axes, renderer)
        boxes.append(axes.get_window_extent(renderer))
    boxes = [box for box in boxes if box.width > 0 and box.height > 0]
    if not boxes or not page.layout.flag("margin.autoexpand", default=True):
        return False
    room = 2.0
    beyond = {
        "left": room - min(box.x0 for box in boxes),
        "right": max(box.x1 for box in boxes) + room - page.width,
        "bottom": room - min(box.y0 for box in boxes),
        "top": max(box.y1 for box in boxes) + room - page.height,
    }
    changed = False
    for side, excess in beyond.items():
        wide, high = page.area_size
        spare = (wide if side in ("left", "right") else high) - 40.0
        if excess > 0.5 and spare > 0:
            setattr(page.margins, side, getattr(page.margins, side) + min(excess, spare))
            changed = True
    return changed


def _writing(axes: Axes, renderer: RendererBase) -> list[Bbox]:
    """The boxes of tick labels and titles at the edges of a panel or colour bar."""
    around = [own.get_tightbbox(renderer) for own in (axes.xaxis, axes.yaxis) if own.get_visible()]
    if axes.get_label() == "colour bar":
        around += [text.get_window_extent(renderer) for text in axes.texts]
    return [box for box in around if box is not None]
