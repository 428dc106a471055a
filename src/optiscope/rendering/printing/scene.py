"""3-D scenes: box, camera, axes and what lies in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis as MatplotlibAxis
from mpl_toolkits.mplot3d import proj3d
from mpl_toolkits.mplot3d.axes3d import Axes3D

from optiscope.rendering.printing.axis import Axis, axis_kind, collect_categories
from optiscope.rendering.printing.colours import parse_colour
from optiscope.rendering.printing.page import Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import lettering
from optiscope.rendering.printing.ticks import ticks_of
from optiscope.rendering.printing.traces import path3d, surface
from optiscope.rendering.printing.traces.kinds import SCENE_KINDS
from optiscope.rendering.printing.vocabulary import Vocabulary, cannot_draw

SCENE = Vocabulary.of(
    """
    aspectmode aspectratio.* bgcolor camera.eye.* camera.projection.type domain.* xaxis.* yaxis.* zaxis.*
    camera.up.* camera.center.*
    """,
    values={"annotations": ([],)},
)

SCENE_AXIS = Vocabulary.of(
    """
    autorange backgroundcolor categoryarray categoryorder color dtick exponentformat gridcolor gridwidth linecolor
    linewidth minexponent nticks range rangemode separatethousands showaxeslabels showbackground showexponent showgrid
    showline showticklabels tick0 tickfont.* tickformat tickmode tickprefix ticks ticksuffix ticktext tickvals
    title.font.* title.text type visible autotypenumbers
    """,
    values={"tickangle": ("auto",), "mirror": (False, True), "showtickprefix": ("all",), "showticksuffix": ("all",)},
    # The zero line of a scene is one of its grid lines; it is drawn, and not emphasised.
    harmless="""
    zeroline zerolinecolor zerolinewidth showspikes spikecolor spikesides spikethickness ticklen tickwidth tickcolor
    """,
)

_DEFAULT_EYE = (1.25, 1.25, 1.25)
_CLOSE = 1.8
"""Distance of the camera at which a box of usual shape fills its place."""
_LABELS = np.array([34.0, 20.0])
"""Pixels on each side that the labels of the axes take, across and upwards."""


def is_scene_trace(trace: Part) -> bool:
    """Whether a trace lies in a 3-D scene."""
    return trace.text("type", "scatter") in SCENE_KINDS


def scene_values(traces: Sequence[Part]) -> list[str]:
    """The names of the scenes that traces lie in, in order."""
    return list(dict.fromkeys(trace.text("scene", "scene") for trace in traces if is_scene_trace(trace)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A drawn scene, to be placed when the margins are known."""

    part: Part
    axes: Axes3D
    scales: tuple[Axis, Axis, Axis]
    distance: float
    """From the camera to the middle."""
    drawn: dict[int, list[Artist]] = field(default_factory=dict)
    """What each trace is drawn as, by its place in the figure."""

    def draw_trace(self, number: int, trace: Part, page: Page) -> list[Artist]:
        """Draw a trace of the scene, unless it is only in the legend; what was drawn."""
        if trace.raw("visible") == "legendonly":
            return []
        before = set(self.axes.get_children())
        kind = surface if trace.text("type") == "surface" else path3d
        kind.draw(trace, number, self.axes, self.scales, page)
        return [artist for artist in self.axes.get_children() if artist not in before]

    def place(self, page: Page) -> None:
        """Put the scene where its domain is."""
        x, y = (self.part.column(f"domain.{letter}") for letter in "xy")
        ends = [(float(c[0]), float(c[1])) if c is not None else (0.0, 1.0) for c in (x, y)]  # type: ignore[arg-type]
        left, bottom, wide, high = page.place(ends[0], ends[1])
        self.axes.set_position((left, bottom, wide, high))
        self._fill(page, (left, bottom, wide, high))

    def _fill(self, page: Page, place: tuple[float, float, float, float]) -> None:
        """Make the box as large as its place, at `_CLOSE` and nearer; smaller, from further away.

        How large a box at some distance is depends on its shape and its side: it is measured, and then adjusted.
        """
        axes = self.axes
        page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        axes.apply_aspect()
        seen = corners_of(axes)
        low, high = seen.min(axis=0), seen.max(axis=0)
        sheet = np.array([page.width, page.height])
        room = np.maximum(np.array(place[2:]) * sheet - 2 * _LABELS, 40.0)
        factor = float((room / np.maximum(high - low, 1.0)).min()) * _CLOSE / self.distance
        size = np.array(page.figure.bbox.size)
        box = axes.get_position()
        middle = (np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2) * size
        off = ((low + high) / 2 - middle) * factor
        # Nothing is cut at the edge of the axes, so they may be larger than their place.
        half = np.array([box.width, box.height]) * factor / 2
        target = np.array([place[0] + place[2] / 2, place[1] + place[3] / 2]) - off / size
        axes.set_position((target[0] - half[0], target[1] - half[1], 2 * half[0], 2 * half[1]))


def corners_of(axes: Axes3D) -> np.ndarray:
    """Where the corners of the box are, in pixels: whatever is drawn in it is between them."""
    corners = np.array(list(itertools.product(axes.get_xlim(), axes.get_ylim(), axes.get_zlim()))).T
    across, up, _ = proj3d.proj_transform(*corners, axes.get_proj())
    return np.asarray(axes.transData.transform(np.column_stack([across, up])))


def draw_scene(name: str, traces: Sequence[tuple[int, Part]], page: Page) -> Scene:
    """Draw a scene with its traces."""
    part = page.specification.numbered("scene", name)
    SCENE.check(part.properties, part=part.name)
    axes = page.figure.add_axes((0.0, 0.0, 1.0, 1.0), projection="3d", label=name)
    assert isinstance(axes, Axes3D)
    axes.computed_zorder = False
    axes.set_autoscale_on(False)
    scales = _scales(part, [trace for _, trace in traces], page)
    scene = Scene(part=part, axes=axes, scales=scales, distance=_distance(part))
    for number, trace in traces:
        scene.drawn[number] = scene.draw_trace(number, trace, page)
    for scale, own in zip(scales, (axes.xaxis, axes.yaxis, axes.zaxis), strict=True):
        scale.range = _range(scale)
        _write_axis(scale, own, page)
    axes.set_xlim(*scales[0].range)
    axes.set_ylim(*scales[1].range)
    axes.set_zlim(*scales[2].range)
    _point_camera(part, axes, scales)
    axes.set_facecolor(parse_colour(part.text("bgcolor", "transparent")))
    return scene


def _scales(part: Part, traces: Sequence[Part], page: Page) -> tuple[Axis, Axis, Axis]:
    made = []
    for index, letter in enumerate("xyz"):
        own = Part(f"{letter}axis of the {part.name}", part.part(f"{letter}axis").properties)
        SCENE_AXIS.check(own.properties, part=own.name)
        columns = []
        for trace in traces:
            column = surface.columns(trace)[index] if trace.text("type") == "surface" else trace.column(letter)
            if column is not None:
                array = column if isinstance(column, np.ndarray) else np.array(column, dtype=object)
                columns.append(array.ravel())
        kind = axis_kind(own, columns, layout=page.layout)
        scale = Axis(name=f"{letter}axis", part=own, kind=kind, length=320.0)
        if kind == "category":
            scale.categories = collect_categories(own, columns)
        made.append(scale)
    return made[0], made[1], made[2]


def _range(scale: Axis) -> tuple[float, float]:
    asked = scale.part.column("range")
    if scale.low_extremes:
        low = min(extreme.value for extreme in scale.low_extremes)
        high = max(extreme.value for extreme in scale.high_extremes)
    else:
        low, high = 0.0, 1.0
    if scale.part.text("rangemode", "normal") in ("tozero", "nonnegative"):
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - 1.0, high + 1.0
    if asked is not None and scale.part.raw("autorange") in (None, False):
        low = low if asked[0] is None else scale.unit(asked[0])
        high = high if asked[1] is None else scale.unit(asked[1])
    return (high, low) if scale.part.raw("autorange") == "reversed" else (low, high)


def _write_axis(scale: Axis, own: MatplotlibAxis, page: Page) -> None:
    part = scale.part
    visible = part.flag("visible", default=True)
    ticks = ticks_of(scale) if visible and part.flag("showticklabels", default=True) else []
    font = page.font.of(part, "tickfont")
    own.set_ticks([tick.place for tick in ticks])
    own.set_ticklabels([lettering(tick.label, font, part=part.name).text for tick in ticks])
    own.set_tick_params(pad=0.0)
    for tick, drawn in zip(ticks, own.get_major_ticks(), strict=False):
        lettering(tick.label, font, part=part.name).dress(drawn.label1)
    ground = part.text("backgroundcolor", "rgba(204,204,204,0.5)")
    pane = parse_colour(ground) if part.flag("showbackground", default=False) and visible else (0.0, 0.0, 0.0, 0.0)
    own.set_pane_color(pane)  # type: ignore[attr-defined]
    grid = parse_colour(part.text("gridcolor", "#cccccc"))
    shown = visible and part.flag("showgrid", default=True)
    own._axinfo["grid"].update(  # type: ignore[attr-defined]
        color=grid if shown else (0.0, 0.0, 0.0, 0.0), linewidth=points(part.number("gridwidth", 1.0))
    )
    line = parse_colour(part.text("linecolor", "#444")) if visible else (0.0, 0.0, 0.0, 0.0)
    own.line.set_color(line)  # type: ignore[attr-defined]
    own._axinfo["tick"]["inward_factor"] = own._axinfo["tick"]["outward_factor"] = 0.0  # type: ignore[attr-defined]
    text = part.text("title.text", scale.letter if visible else "")
    if text and visible:
        lettering(text, page.font.of(part, "title.font", scale=7 / 6), part=part.name).dress(own.label)
        own.labelpad = 4.0


def _point_camera(part: Part, axes: Axes3D, scales: tuple[Axis, Axis, Axis]) -> None:
    for path, expected in (("camera.up", (0.0, 0.0, 1.0)), ("camera.center", (0.0, 0.0, 0.0))):
        given = tuple(part.number(f"{path}.{letter}", default) for letter, default in zip("xyz", expected, strict=True))
        if not np.allclose(given, expected, atol=0.25 if path == "camera.center" else 1e-6):
            raise cannot_draw(part.name, path, given, drawable=(expected,))
    x, y, z = _eye(part)
    distance = _distance(part)
    kind = part.text("camera.projection.type", "perspective")
    axes.set_proj_type("ortho" if kind == "orthographic" else "persp")
    axes.view_init(elev=math.degrees(math.asin(max(-1.0, min(1.0, z / distance)))), azim=math.degrees(math.atan2(y, x)))
    spans = np.array([abs(scale.range[1] - scale.range[0]) for scale in scales])
    mode = part.text("aspectmode", "manual" if part.raw("aspectratio") is not None else "auto")
    if mode == "auto":
        mode = "data" if spans.max() <= 4 * spans.min() else "cube"
    if mode == "manual":
        aspect = np.array([part.number(f"aspectratio.{letter}", 1.0) for letter in "xyz"])
    else:
        aspect = spans if mode == "data" else np.ones(3)
    size = float(np.prod(aspect)) ** (1 / 3)
    axes.set_box_aspect(tuple(aspect / size))


def _eye(part: Part) -> tuple[float, float, float]:
    x, y, z = (
        part.number(f"camera.eye.{letter}", default) for letter, default in zip("xyz", _DEFAULT_EYE, strict=True)
    )
    return x, y, z


def _distance(part: Part) -> float:
    """From the camera to the middle, as far as it can be told apart."""
    return min(max(math.hypot(*_eye(part)), 0.4), 20.0)
