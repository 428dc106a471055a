"""Lines, markers and texts in a 3-D scene."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d.art3d import Line3D, Line3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.colours import parse_colour, with_opacity
from optiscope.rendering.printing.page import LegendEntry, Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import line_style, marker_diameters, marker_of, points
from optiscope.rendering.printing.text import lettering
from optiscope.rendering.printing.traces.lines import marker_colours
from optiscope.rendering.printing.vocabulary import Vocabulary

_COLOUR_SCALE = "cauto cmin cmax cmid colorscale autocolorscale reversescale showscale coloraxis colorbar.*"

VOCABULARY = Vocabulary.of(
    " ".join(
        [
            "x y z scene mode text textfont.* textposition opacity visible connectgaps line.color line.width line.dash",
            "marker.color marker.size marker.sizemin marker.sizemode marker.sizeref marker.symbol marker.opacity",
            "marker.line.color marker.line.width showlegend legendgroup legendrank legend legendgrouptitle.*",
            *(f"line.{name} marker.{name}" for name in _COLOUR_SCALE.split()),
        ]
    ),
    values={
        "surfaceaxis": (-1,),
        **{f"projection.{letter}.show": (False,) for letter in "xyz"},
        **{f"error_{letter}.visible": (False,) for letter in "xyz"},
    },
)


def draw(trace: Part, number: int, axes: Axes3D, scales: tuple[Axis, Axis, Axis], page: Page) -> None:
    """Draw one 3-D path. It lies over the surfaces of its scene, so that no part of it is hidden."""
    columns = [trace.column(letter) if trace.column(letter) is not None else [] for letter in "xyz"]
    count = min(len(column) for column in columns if column is not None)
    x, y, z = (scale.units(column[:count]) for scale, column in zip(scales, columns, strict=True))  # type: ignore[index]
    opacity = trace.number("opacity", 1.0)
    own = page.colour_of(number)
    mode = trace.text("mode", "lines+markers").split("+")
    if trace.flag("connectgaps", default=False):
        present = np.isfinite(x) & np.isfinite(y) & np.isfinite(z)
        x, y, z = x[present], y[present], z[present]
    handle: Artist | None = None
    marker_colour = trace.raw("marker.color")
    fallback = parse_colour(marker_colour) if isinstance(marker_colour, str) else own
    if "lines" in mode:
        handle = _line(trace, number, axes, (x, y, z), page, fallback=fallback, opacity=opacity)
    if "markers" in mode:
        dots = _markers(trace, number, axes, (x, y, z), page, own=own, opacity=opacity)
        handle = handle or dots
    if "text" in mode:
        _texts(trace, axes, (x, y, z), page)
    for scale, array in zip(scales, (x, y, z), strict=True):
        scale.show(array)
    if handle is not None:
        page.legend_entries.append(LegendEntry(trace=trace, number=number, handle=handle))


def _line(
    trace: Part, number: int, axes: Axes3D, place: tuple[np.ndarray, np.ndarray, np.ndarray], page: Page,
    *, fallback: tuple[float, float, float, float], opacity: float,
) -> Artist:  # fmt: skip
    style, width = line_style(trace), points(trace.number("line.width", 2.0))
    depth = 3.0 + 1e-6 * number
    if trace.column("line.color") is not None:
        colours = marker_colours(trace, page, len(place[0]), default=fallback, path="line")
        colours[:, 3] *= opacity
        ends = np.stack([np.column_stack(place)[:-1], np.column_stack(place)[1:]], axis=1)
        whole = np.isfinite(ends).all(axis=(1, 2))
        pieces = Line3DCollection(
            list(ends[whole]), colors=((colours[:-1] + colours[1:]) / 2)[whole], linewidths=width, zorder=depth
        )  # fmt: skip
        axes.add_collection3d(pieces, autolim=False)
        return Line2D([], [], color=tuple(colours[-1]) if len(colours) else fallback, linewidth=width)
    asked = trace.raw("line.color")
    colour = with_opacity(parse_colour(asked) if asked is not None else fallback, opacity)
    axes.add_line(Line3D(*place, color=colour, linewidth=width, linestyle=style, zorder=depth))
    return Line2D([], [], color=colour, linewidth=width, linestyle=style)


def _markers(
    trace: Part, number: int, axes: Axes3D, place: tuple[np.ndarray, np.ndarray, np.ndarray], page: Page,
    *, own: tuple[float, float, float, float], opacity: float,
) -> Artist:  # fmt: skip
    present = np.isfinite(np.sum(place, axis=0))
    faces = marker_colours(trace, page, len(present), default=own)
    faces[:, 3] *= trace.number("marker.opacity", 1.0) * opacity
    diameters = marker_diameters(trace, "marker", len(present), default=8.0)
    symbols = trace.column("marker.symbol")
    names = np.resize(
        np.array(list(symbols) if symbols is not None else [trace.text("marker.symbol", "circle")], dtype=object),
        len(present),
    )
    edge = parse_colour(trace.text("marker.line.color", "#444"))
    width = points(trace.number("marker.line.width", 0.0))
    for name in dict.fromkeys(names.tolist()):
        chosen = present & (names == name)
        marker, filled = marker_of(name)
        axes.scatter(
            *(array[chosen] for array in place), s=diameters[chosen] ** 2, marker=marker, depthshade=False,
            facecolors=faces[chosen] if filled else "none", edgecolors=edge if filled and width > 0 else faces[chosen],
            linewidths=width if filled else max(width, 0.75), zorder=3.1 + 1e-6 * number,
        )  # fmt: skip
    marker, filled = marker_of(names[0] if len(names) else "circle")
    face = tuple(faces[0]) if len(faces) else own
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=5.0,
        markerfacecolor=face if filled else "none",
        markeredgecolor=face,
    )


def _texts(trace: Part, axes: Axes3D, place: tuple[np.ndarray, np.ndarray, np.ndarray], page: Page) -> None:
    given = trace.column("text")
    texts = list(given) if given is not None else [trace.text("text")] * len(place[0])
    font = page.font.of(trace, "textfont")
    vertical, _, horizontal = trace.text("textposition", "top center").partition(" ")
    for index, text in enumerate(texts[: len(place[0])]):
        if text in (None, "") or not np.isfinite(place[0][index] + place[1][index] + place[2][index]):
            continue
        artist = axes.text(
            *(float(array[index]) for array in place), "", zorder=4.0,
            ha={"left": "right", "right": "left"}.get(horizontal, "center"),
            va={"top": "bottom", "bottom": "top"}.get(vertical, "center"),
        )  # fmt: skip
        lettering(str(text), font, part=trace.name).dress(artist)
