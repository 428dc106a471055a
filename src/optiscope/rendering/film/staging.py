"""Sets the stage of a film: finds what stands still, and draws the axes wide enough for every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Bbox
from mpl_toolkits.mplot3d.axes3d import Axes3D

from optiscope.rendering.film.reel import Reel
from optiscope.rendering.film.stage import PlainStage, Stage, new_artists
from optiscope.rendering.printing.draw import (
    SURROUNDINGS,
    axis_names,
    check_layout,
    check_traces,
    draw_surroundings,
    make_axes,
    settle,
    shared_values,
    shown_traces,
)
from optiscope.rendering.printing.page import DPI, Page, Panel, new_page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.scene import Scene, corners_of, draw_scene, is_scene_trace, scene_values
from optiscope.rendering.printing.settings import own_settings
from optiscope.rendering.printing.shapes import DEPTHS
from optiscope.rendering.printing.specification import Specification, merge
from optiscope.rendering.printing.traces.kinds import draw_panel

_BESIDE_EACH_OTHER = frozenset({"bar", "histogram"})
"""Traces of which one cannot be drawn without the others of its panel."""
_FAR_REACHING = ("type", "name", "showlegend", "legend", "legendgroup", "legendrank", "xaxis", "yaxis", "scene")
"""Attributes of a trace that change more than the trace itself."""
_CONTROLS = ("sliders", "updatemenus")
_BOTTOM = 54.0
"""Room for an axis with its title, in CSS pixels, where a figure has made room for sliders and buttons."""
_WORD = np.array([12.0, 8.0])
"""CSS pixels, across and upwards, by which a word at the edge of a scene may stand out of it."""
_SCENE_BOTTOM = 6.0
"""The same below a 3-D scene."""


def stage_for(reel: Reel, *, width: int, height: int, scale: float) -> Stage | PlainStage:
    """Prepare pictures of `width` × `height` pixels, `scale` pixels to a CSS pixel.

    Raises:
        CannotDraw: a state of the figure has a part that the printer cannot draw.
        ArgumentError: a value in the figure cannot be read.
    """
    for state in reel.states:
        check_layout(state)
        check_traces([(number, state.traces[number]) for number in sorted(reel.moving)])
    check_traces(shown_traces(reel.together))
    with own_settings():
        renderer = RendererAgg(width, height, DPI * scale)  # type: ignore[no-untyped-call]
        page = new_page(_without_controls(reel.together), width=width / scale, height=height / scale)
        panels, scenes, moving = _draw_traces(page, reel)
        if _reaches_far(reel, panels, page):
            return _plain(reel, page, renderer, scale)
        draw_surroundings(page, [part for part in SURROUNDINGS if part not in reel.changing])
        in_front = _in_front(page, reel, moving)
        for artist in (artist for made in moving.values() for artist in made):
            artist.remove()
        for artist in in_front:
            artist.set_animated(True)
    return Stage(reel=reel, page=page, panels=panels, scenes=scenes, in_front=in_front, renderer=renderer, scale=scale)


def _draw_traces(
    page: Page, reel: Reel
) -> tuple[list[tuple[Panel, list[int]]], list[tuple[Scene, list[int]]], dict[Axes, list[Artist]]]:
    """Draw every trace with the data of all states; what moves, and on which axes."""
    shown = shown_traces(page.specification)
    flat = [(number, trace) for number, trace in shown if not is_scene_trace(trace)]
    make_axes(page, [trace for _, trace in flat])
    page.share_mappings(shared_values(shown))
    panels: list[tuple[Panel, list[int]]] = []
    scenes: list[tuple[Scene, list[int]]] = []
    moving: dict[Axes, list[Artist]] = {}
    for key, panel in list(page.panels.items()):
        own = [(number, trace) for number, trace in flat if axis_names(trace) == key]
        numbers = _drawn_together([number for number, _ in own], [trace for _, trace in own], reel)
        draw_panel([(number, trace) for number, trace in own if number not in numbers], panel, page)
        with new_artists(panel.axes) as made:
            draw_panel([(number, trace) for number, trace in own if number in numbers], panel, page)
        if numbers:
            panels.append((panel, numbers))
            moving[panel.axes] = made
    every_scene: list[Scene] = []
    for name in scene_values([trace for _, trace in shown]):
        inside = [(n, t) for n, t in shown if is_scene_trace(t) and t.text("scene", "scene") == name]
        scene = draw_scene(name, inside, page)
        every_scene.append(scene)
        numbers = [number for number, _ in inside if number in reel.moving]
        if numbers:
            scenes.append((scene, numbers))
            moving[scene.axes] = [artist for number in numbers for artist in scene.drawn[number]]
    # What stands still was drawn first; the legend lists the traces in the order of the figure.
    page.legend_entries.sort(key=lambda entry: entry.number)
    settle(page, every_scene)
    return panels, scenes, moving


def _drawn_together(numbers: Sequence[int], traces: Sequence[Part], reel: Reel) -> list[int]:
    """The traces of a panel that each picture draws: those that move, or all, where they depend on each other."""
    if not any(number in reel.moving for number in numbers):
        return []
    tied = any(
        trace.text("type", "scatter") in _BESIDE_EACH_OTHER or trace.text("fill") in ("tonexty", "tonextx")
        for trace in traces
    )
    return [number for number in numbers if tied or number in reel.moving]


def _reaches_far(reel: Reel, panels: Sequence[tuple[Panel, list[int]]], page: Page) -> bool:
    """Whether a frame changes more than what lies inside the axes, or what moves is covered by other axes."""
    if reel.changing - set(SURROUNDINGS) - set(_CONTROLS):
        return True
    for number in reel.moving:
        versions = [state.traces[number] for state in reel.states]
        if any(version.raw(path) != versions[0].raw(path) for version in versions for path in _FAR_REACHING):
            return True
    boxes = [(panel.axes.get_position(), panel.axes) for panel in page.panels.values()]
    return any(
        other is not panel.axes and box.overlaps(panel.axes.get_position())
        for panel, _ in panels
        for box, other in boxes
    )


def _plain(reel: Reel, page: Page, renderer: RendererAgg, scale: float) -> PlainStage:
    """Each picture from nothing, on axes that reach as far as all states together, unless frames move the axes."""
    ranges = {
        name: {"range": list(axis.range), "autorange": False}
        for name, axis in page.axes.items()
        if axis.kind in ("linear", "log", "category")
    }
    states = []
    for state in reel.states:
        own = merge(state.own_layout.properties, {} if reel.changing & set(ranges) else ranges)
        fixed = replace(
            state, own_layout=Part("layout", own), layout=Part("layout", merge(state.template.properties, own))
        )
        states.append(_without_controls(fixed))
    return PlainStage(
        reel=replace(reel, states=tuple(states)), width=page.width, height=page.height, renderer=renderer, scale=scale
    )


def _without_controls(specification: Specification) -> Specification:
    """The figure without sliders and buttons, which nobody can press in a film, and without the room for them."""
    own = {key: value for key, value in specification.own_layout.properties.items() if key not in _CONTROLS}
    if len(own) == len(specification.own_layout.properties):
        return specification
    bottom = specification.layout.number("margin.b", 80.0)
    # A scene has its axes within it.
    scenes_only = all(is_scene_trace(trace) for trace in specification.traces)
    own = merge(own, {"margin": {"b": min(bottom, _SCENE_BOTTOM if scenes_only else _BOTTOM)}})
    return replace(
        specification,
        own_layout=Part("layout", own),
        layout=Part("layout", merge(specification.template.properties, own)),
    )


def _reach(axes: Axes, renderer: RendererAgg) -> Bbox:
    """Where on the sheet something that moves may be."""
    if not isinstance(axes, Axes3D):
        return axes.get_window_extent(renderer)
    # The axes of a scene reach far beyond its box; what moves, and the words beside it, does not.
    axes.apply_aspect()
    corners = corners_of(axes)
    return Bbox([corners.min(axis=0) - _WORD, corners.max(axis=0) + _WORD])


def _in_front(page: Page, reel: Reel, moving: dict[Axes, list[Artist]]) -> list[Artist]:
    """What stands still and would be covered by what moves, if it were not drawn again after it."""
    shapes = [shape for state in reel.states for shape in state.items("shapes")] if "shapes" in reel.changing else []
    nearest = 8.0 if "annotations" in reel.changing else 100.0
    nearest = min([nearest, *(DEPTHS[shape.text("layer", "above")] for shape in shapes)])
    found: list[Artist] = []
    for axes in [*(panel.axes for panel in page.panels.values()), *(axes for axes in moving if axes.name == "3d")]:
        own = moving.get(axes, [])
        floor = min([nearest, *(artist.get_zorder() for artist in own)])
        still = set(axes.get_children()) - set(own) - {axes.patch, axes.xaxis, axes.yaxis, getattr(axes, "zaxis", None)}
        found += [artist for artist in still if artist.get_zorder() >= floor and artist.get_visible()]
    renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    places = [_reach(axes, renderer) for axes in moving]
    for artist in set(page.figure.get_children()) - set(page.figure.axes) - {page.figure.patch}:
        # A legend that only touches the axes is beside them.
        box = artist.get_window_extent(renderer).padded(-2.0)
        if any(place.overlaps(box) for place in places):
            found.append(artist)
    return found
