"""Shapes of the layout: lines, rectangles (bands too) and ellipses."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Transform, blended_transform_factory

from optiscope.rendering.printing.annotations import coordinate_of
from optiscope.rendering.printing.colours import parse_colour, with_opacity
from optiscope.rendering.printing.page import Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import line_style, points
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    "fillcolor layer line.color line.dash line.width opacity visible x0 x1 xref y0 y1 yref",
    values={
        "type": ("line", "rect", "circle"),
        "layer": ("above", "below", "between"),
        "xsizemode": ("scaled",),
        "ysizemode": ("scaled",),
        "fillrule": ("evenodd", "nonzero"),
        "showlegend": (False,),
    },
)

DEPTHS = {"above": 7.0, "between": 0.8, "below": 0.4}
"""How far in front a shape of each layer is drawn."""


def draw_shape(part: Part, page: Page) -> Artist | None:
    """Draw one shape of the layout."""
    VOCABULARY.check(part.properties, part=part.name)
    if not part.flag("visible", default=True):
        return None
    (x0, x1), across, owner_x = _ends(part, "x", page)
    (y0, y1), up, owner_y = _ends(part, "y", page)
    transform = blended_transform_factory(across, up)
    opacity = part.number("opacity", 1.0)
    edge = with_opacity(parse_colour(part.text("line.color", "#444")), opacity)
    fill = with_opacity(parse_colour(part.text("fillcolor", "transparent")), opacity)
    shape: Artist
    match part.text("type", "rect"):
        case "line":
            path = Path(np.array([(x0, y0), (x1, y1)]))
            fill = (0.0, 0.0, 0.0, 0.0)
        case "circle":
            unit = Ellipse((0.5, 0.5), 1.0, 1.0)
            corners = unit.get_patch_transform().transform_path(unit.get_path())
            vertices = np.asarray(corners.vertices) * [x1 - x0, y1 - y0] + [x0, y0]
            path = Path(vertices, corners.codes)
        case _:
            path = Path(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]), closed=True)
    shape = PathPatch(
        path, facecolor=fill, edgecolor=edge, linewidth=points(part.number("line.width", 2.0)),
        linestyle=line_style(part), zorder=DEPTHS[part.text("layer", "above")], transform=transform,
        capstyle="butt",
    )  # fmt: skip
    owner = owner_x or owner_y
    if owner is None:
        page.figure.add_artist(shape)
        return shape
    owner.add_artist(shape)
    shape.set_clip_on(owner_x is not None or owner_y is not None)
    return shape


def _ends(part: Part, letter: str, page: Page) -> tuple[tuple[float, float], Transform, Axes | None]:
    reference = part.text(f"{letter}ref", page.first_reference(letter))
    first, second = part.raw(f"{letter}0"), part.raw(f"{letter}1")
    if reference == "paper" or reference.endswith(" domain"):
        ends = (part.number(f"{letter}0", 0.25), part.number(f"{letter}1", 0.75))
        if reference == "paper":
            return ends, page.area_transform(), None
        home = page.axes_of(page.axis(reference.removesuffix(" domain")))
        return ends, home.transAxes, home
    axis = page.axis(reference)
    home = page.axes_of(axis)
    low, high = axis.range
    ends_units = [
        axis.coordinate(low + share * (high - low)) if value is None else coordinate_of(axis, value)
        for share, value in ((0.25, first), (0.75, second))
    ]
    return (ends_units[0], ends_units[1]), home.transData, home
