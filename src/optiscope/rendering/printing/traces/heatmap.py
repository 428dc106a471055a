"""Heat maps: one coloured cell per number."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.collections import QuadMesh

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.axis import Axis, finite_numbers
from optiscope.rendering.printing.colours import ColourMapping, readable_on
from optiscope.rendering.printing.number_format import d3_number
from optiscope.rendering.printing.page import Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.text import lettering
from optiscope.rendering.printing.vocabulary import Vocabulary, cannot_draw

GRID_ATTRIBUTES = """
    x y z x0 dx y0 dy xaxis yaxis transpose opacity visible zorder
    autocolorscale coloraxis colorbar.* colorscale reversescale showscale zauto zmax zmid zmin
    """

VOCABULARY = Vocabulary.of(
    f"{GRID_ATTRIBUTES} text texttemplate textfont.* xgap ygap",
    values={
        "zsmooth": (False,),
        "connectgaps": (False,),
        "xtype": ("array", "scaled"),
        "ytype": ("array", "scaled"),
        "showlegend": (False,),
        "xcalendar": ("gregorian",),
        "ycalendar": ("gregorian",),
    },
    harmless="hoverongaps legendgroup legendrank",
)


def columns(trace: Part) -> tuple[Sequence[object] | np.ndarray, Sequence[object] | np.ndarray]:
    """The x and y data; missing ones count the columns and rows of z."""
    rows, width = grid(trace).shape
    x, y = trace.column("x"), trace.column("y")
    return (
        x if x is not None else trace.number("x0", 0.0) + trace.number("dx", 1.0) * np.arange(width),
        y if y is not None else trace.number("y0", 0.0) + trace.number("dy", 1.0) * np.arange(rows),
    )


def grid(trace: Part) -> Float[np.ndarray, "rows columns"]:
    """The numbers, a row per y; what is missing or not finite is NaN, a gap."""
    given = trace.column("z")
    if given is None:
        return np.zeros((0, 0))
    if isinstance(given, np.ndarray) and given.ndim == 2:
        numbers = finite_numbers(given)
    else:
        rows = [
            list(row) if isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) else [row] for row in given
        ]
        width = max((len(row) for row in rows), default=0)
        numbers = finite_numbers([row + [None] * (width - len(row)) for row in rows]).reshape(len(rows), width)
    return numbers.T if trace.flag("transpose", default=False) else numbers


def borders(
    axis: Axis, values: Sequence[object] | np.ndarray, count: int, *, part: str
) -> Float[np.ndarray, " borders"]:
    """The `count` + 1 borders of cells in axis units, from their centres or from the borders themselves."""
    units = axis.units(values)
    if len(units) == count + 1 and axis.kind != "category":
        return units
    if len(units) != count:
        raise ArgumentError(
            f"The {part} has {count} cells along {axis.identifier} and {len(units)} positions; "
            f"give one for each cell, or one more for the borders. Received: {len(units)}."
        )
    if count == 0:
        return np.zeros(1)
    if count == 1:
        return np.array([units[0] - 0.5, units[0] + 0.5])
    middle = (units[1:] + units[:-1]) / 2
    return np.concatenate([[2 * units[0] - middle[0]], middle, [2 * units[-1] - middle[-1]]])


def draw(trace: Part, number: int, panel: Panel, page: Page) -> None:
    """Draw one heat map."""
    z = grid(trace)
    raw_x, raw_y = columns(trace)
    x = borders(panel.x, raw_x, z.shape[1], part=trace.name)
    y = borders(panel.y, raw_y, z.shape[0], part=trace.name)
    mapping = page.mapping(trace, z, letter="z")
    draw_cells(
        x,
        y,
        z,
        mapping,
        panel,
        opacity=trace.number("opacity", 1.0),
        depth=1.0 + 1e-3 * trace.number("zorder", 0) + 1e-6 * number,
        gaps=(trace.number("xgap", 0.0), trace.number("ygap", 0.0)),
    )
    panel.x.show(x)
    panel.y.show(y)
    if trace.text("texttemplate"):
        _write_cells(trace, x, y, z, mapping, panel, page)


def draw_cells(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, mapping: ColourMapping, panel: Panel,
    *, opacity: float, depth: float, gaps: tuple[float, float] = (0.0, 0.0),
) -> QuadMesh:  # fmt: skip
    """Draw coloured cells between borders given in axis units."""
    return panel.axes.pcolormesh(
        panel.x.from_units(x), panel.y.from_units(y), np.ma.masked_invalid(z), cmap=mapping.scale, norm=mapping.norm,
        shading="flat", alpha=None if opacity == 1.0 else opacity, zorder=depth, rasterized=z.size > 10_000,
        edgecolors=panel.axes.get_facecolor() if max(gaps) > 0 else "none",
        linewidth=0.75 * max(gaps), antialiased=max(gaps) > 0,
    )  # fmt: skip


def _write_cells(
    trace: Part, x: np.ndarray, y: np.ndarray, z: np.ndarray, mapping: ColourMapping, panel: Panel, page: Page
) -> None:
    font = page.font.of(trace, "textfont")
    texts = trace.column("text")
    for row, column in np.argwhere(np.isfinite(z)):
        text = fill_template(trace, z[row, column], None if texts is None else texts[row][column])
        place = ((x[column] + x[column + 1]) / 2, (y[row] + y[row + 1]) / 2)
        artist = panel.axes.text(
            panel.x.coordinate(place[0]), panel.y.coordinate(place[1]), "",
            ha="center", va="center", clip_on=True, zorder=1.5,
        )  # fmt: skip
        lettering(text, font, part=trace.name).dress(artist)
        if trace.raw("textfont.color") is None:
            artist.set_color(readable_on(mapping.colours(z[row : row + 1, column])[0]))


def fill_template(trace: Part, value: float, text: object) -> str:
    """A `texttemplate` such as "%{z:.2f}" or "%{text}" with its numbers put in."""
    template = trace.text("texttemplate")

    def replaced(match: re.Match[str]) -> str:
        name, form = match[1], match[2] or ""
        if name == "text":
            return "" if text is None else str(text)
        if name not in ("z", "value", "x", "y"):
            raise cannot_draw(trace.name, "texttemplate", template, drawable=("%{z}", "%{z:.2f}", "%{text}"))
        return d3_number(value, form, part=trace.name)

    return re.sub(r"%\{(\w+)(?::([^}]*))?\}", replaced, template)
