"""What surrounds the data of a panel: ticks, grid, zero lines, axis lines and axis titles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.collections import LineCollection
from matplotlib.text import Text
from matplotlib.ticker import NullLocator

from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.colours import Rgba, parse_colour
from optiscope.rendering.printing.page import Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import line_style, points
from optiscope.rendering.printing.text import Font, lettering
from optiscope.rendering.printing.ticks import Tick, ticks_of

_SIDES = {"x": ("bottom", "top"), "y": ("left", "right")}
GRID_DEPTH, ZERO_DEPTH = 0.5, 0.6


def prepare(axes: Axes) -> None:
    """Take away everything that matplotlib would draw on its own."""
    axes.set_autoscale_on(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for own in (axes.xaxis, axes.yaxis):
        own.set_major_locator(NullLocator())
        own.set_minor_locator(NullLocator())


def home_of(axis: Axis, page: Page) -> Panel | None:
    """The panel at whose edge an axis writes its ticks."""
    anchor = axis.part.text("anchor")
    pairs = [panel for panel in page.panels.values() if axis in (panel.x, panel.y)]
    for panel in pairs:
        other = panel.y if axis.letter == "x" else panel.x
        if other.identifier == anchor:
            return panel
    return pairs[0] if pairs else None


def side_of(axis: Axis) -> str:
    """The edge of the panel at which an axis writes its ticks."""
    return axis.part.text("side", _SIDES[axis.letter][0])


def draw_grid(axis: Axis, page: Page) -> list[Artist]:
    """Draw grid and zero line of an axis on every panel that it spans, below the data."""
    part = axis.part
    if not part.flag("visible", default=True):
        return []
    made: list[Artist] = []
    ticks = ticks_of(axis) if part.flag("showgrid", default=axis.grid_by_default) else []
    low, high = sorted(axis.range)
    for panel in _bare_panels(axis, page):
        places = [
            tick.place for tick in ticks if low < tick.place < high and not (tick.place == 0 and axis.shows_zero_line)
        ]
        if places:
            grid = _ruler(
                panel.axes, axis, places, parse_colour(part.text("gridcolor", "#eee")),
                points(part.number("gridwidth", 1.0)), GRID_DEPTH,
            )  # fmt: skip
            grid.set_linestyle(
                line_style(
                    Part(
                        part.name,
                        {"line": {"dash": part.text("griddash", "solid"), "width": part.number("gridwidth", 1.0)}},
                    )
                )
            )
            grid.set_label("_grid")
            made.append(grid)
        if axis.shows_zero_line and low < 0 < high:
            colour = parse_colour(part.text("zerolinecolor", "#444"))
            zero = _ruler(panel.axes, axis, [0.0], colour, points(part.number("zerolinewidth", 1.0)), ZERO_DEPTH)
            zero.set_label("_zero line")
            made.append(zero)
    return made


def _bare_panels(axis: Axis, page: Page) -> list[Panel]:
    """One panel per place: an overlaying axis rules the panel beneath, so that no grid covers data."""
    panels = [panel for panel in page.panels.values() if axis in (panel.x, panel.y)]
    found: dict[tuple[float, ...], Panel] = {}
    for panel in panels:
        place = (*panel.x.domain, *panel.y.domain)
        beneath = next(p for p in page.panels.values() if (*p.x.domain, *p.y.domain) == place)
        found.setdefault(place, beneath)
    return list(found.values())


def _ruler(axes: Axes, axis: Axis, places: list[float], colour: Rgba, width: float, depth: float) -> LineCollection:
    along = axis.fraction(np.array(places))
    ends = [((at, 0.0), (at, 1.0)) if axis.letter == "x" else ((0.0, at), (1.0, at)) for at in along]
    lines = LineCollection(ends, colors=[colour], linewidths=width, zorder=depth, transform=axes.transAxes)
    axes.add_collection(lines, autolim=False)
    return lines


def draw_edge(axis: Axis, page: Page) -> None:
    """Write ticks, labels, title and line of an axis at the edge of its home panel, and set the limits everywhere."""
    for panel in page.panels.values():
        if axis is panel.x:
            panel.axes.set_xlim(*_limits(axis))
        if axis is panel.y:
            panel.axes.set_ylim(*_limits(axis))
    home = home_of(axis, page)
    if home is None or not axis.part.flag("visible", default=True):
        return
    own = home.axes.xaxis if axis.letter == "x" else home.axes.yaxis
    side = side_of(axis)
    own.set_ticks_position(side)  # type: ignore[arg-type]
    own.set_label_position(side)  # type: ignore[arg-type]
    if axis.part.raw("anchor") == "free":
        home.axes.spines[side].set_position(("axes", _free_position(axis, home)))
    base = axis.part.raw("color")
    font = page.font if base is None else Font(family=page.font.family, size=page.font.size, colour=parse_colour(base))
    _write_ticks(axis, own, side, font, page)
    _draw_line(axis, home.axes, side)
    _write_title(axis, own, font)


def _limits(axis: Axis) -> tuple[float, float]:
    low, high = axis.from_units(np.array(axis.range))
    return float(low), float(high)


def _free_position(axis: Axis, home: Panel) -> float:
    other = home.y if axis.letter == "x" else home.x
    start, stop = other.domain
    return (axis.part.number("position", 0.0) - start) / (stop - start)


def _write_ticks(axis: Axis, own: XAxis | YAxis, side: str, font: Font, page: Page) -> None:
    part = axis.part
    tick_font = font.of(part, "tickfont")
    ticks = ticks_of(axis)
    labelled = part.flag("showticklabels", default=True)
    own.set_ticks([axis.coordinate(tick.place) for tick in ticks])
    own.set_minor_locator(NullLocator())
    own.set_ticklabels([tick.label if labelled else "" for tick in ticks])
    marks = part.text("ticks", "outside" if axis.ticks_by_default else "")
    length = points(part.number("ticklen", 5.0)) if marks else 0.0
    mirrored = str(part.raw("mirror")) in ("ticks", "allticks")
    other = _SIDES[axis.letter][1] if side == _SIDES[axis.letter][0] else _SIDES[axis.letter][0]
    own.set_tick_params(
        which="major", length=length, width=points(part.number("tickwidth", 1.0)), pad=points(3.0),
        direction="in" if marks == "inside" else "out",
        color=parse_colour(part.text("tickcolor", part.text("color", "#444"))),
        **{side: bool(marks), other: bool(marks) and mirrored, f"label{side}": labelled, f"label{other}": False},
    )  # fmt: skip
    for tick, drawn in zip(ticks, own.get_major_ticks(), strict=False):
        label = drawn.label2 if side in ("top", "right") else drawn.label1
        _dress_label(tick, label, tick_font, part)
    own.set_ticklabels(  # the fixed texts, now with matplotlib's escapes
        [lettering(tick.label, tick_font, part=part.name).text if labelled else "" for tick in ticks]
    )
    _turn(axis, own, ticks, side, page)


def _dress_label(tick: Tick, label: Text, font: Font, part: Part) -> None:
    lettering(tick.label, replace(font, size=font.size * tick.scale), part=part.name).dress(label)


def _turn(axis: Axis, own: XAxis | YAxis, ticks: list[Tick], side: str, page: Page) -> None:
    """Turn tick labels as asked, or so far that neighbours do not overlap."""
    labels = [(t.label2 if side in ("top", "right") else t.label1) for t in own.get_major_ticks()][: len(ticks)]
    asked = axis.part.raw("tickangle")
    if asked not in (None, "auto"):
        _rotate(labels, axis.part.number("tickangle", 0.0), side)
        return
    if axis.letter == "y" or len(ticks) < 2:
        return
    renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    places = np.sort(axis.fraction(np.array([tick.place for tick in ticks]))) * axis.length
    gap = float(np.diff(places).min())
    widths = [label.get_window_extent(renderer).width for label in labels]
    heights = [label.get_window_extent(renderer).height for label in labels]
    asked_angles = axis.part.column("autotickangles")
    angles = [float(str(angle)) for angle in asked_angles] if asked_angles is not None else [0.0, 30.0, 90.0]
    for angle in angles:
        sine, cosine = abs(np.sin(np.radians(angle))), abs(np.cos(np.radians(angle)))
        needed = max(min(w * cosine + h * sine, h / max(sine, 1e-9)) for w, h in zip(widths, heights, strict=True))
        if needed + 4.0 < gap or angle == angles[-1]:
            _rotate(labels, angle, side)
            return


def _rotate(labels: list[Text], angle: float, side: str) -> None:
    """Turn labels clockwise, and hang them by the end that is next to the axis."""
    for label in labels:
        label.set_rotation(-angle)
        if angle and side in ("bottom", "top"):
            towards = (angle > 0) == (side == "bottom")
            label.set_rotation_mode("anchor")
            label.set_horizontalalignment("left" if towards else "right")
            label.set_verticalalignment("center" if abs(angle) >= 60 else "top" if side == "bottom" else "bottom")


def _draw_line(axis: Axis, axes: Axes, side: str) -> None:
    part = axis.part
    shown = part.flag("showline", default=False)
    mirrored = part.raw("mirror") not in (None, False)
    for edge in _SIDES[axis.letter]:
        spine = axes.spines[edge]
        spine.set_visible(shown and (edge == side or mirrored))
        spine.set_edgecolor(parse_colour(part.text("linecolor", part.text("color", "#444"))))
        spine.set_linewidth(points(part.number("linewidth", 1.0)))
        spine.set_zorder(5.0)


def _write_title(axis: Axis, own: XAxis | YAxis, font: Font) -> None:
    text = axis.part.text("title.text")
    if not text:
        return
    title_font = font.of(axis.part, "title.font", scale=7 / 6)
    own.labelpad = points(min(axis.part.number("title.standoff", 6.0), 10.0))
    lettering(text, title_font, part=f"title of the {axis.part.name}").dress(own.label)
    own.label.set_rotation(90.0 if axis.letter == "y" else 0.0)
    if axis.letter == "y":
        own.label.set_rotation_mode("anchor" if side_of(axis) == "left" else "default")
        own.label.set_verticalalignment("bottom" if side_of(axis) == "left" else "top")
        own.label.set_rotation_mode("default" if side_of(axis) == "right" else "anchor")
