"""Surfaces of a 3-D scene: one flat piece between four grid points, coloured by their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Patch
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from optiscope.rendering.printing.axis import Axis, finite_numbers
from optiscope.rendering.printing.page import LegendEntry, Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.traces.heatmap import grid
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    """
    x y z scene surfacecolor opacity visible autocolorscale cauto cmin cmax cmid coloraxis colorbar.* colorscale
    reversescale showscale showlegend legendgroup legendrank legend legendgrouptitle.*
    """,
    values={
        "connectgaps": (False,),
        "hidesurface": (False,),
        **{f"contours.{letter}.show": (False,) for letter in "xyz"},
        **{f"contours.{letter}.highlight": (True, False) for letter in "xyz"},
    },
    # Light and shadow carry no data; the printer draws every piece in the very colour of its number.
    harmless="lighting lightposition contours.x.highlightcolor contours.y.highlightcolor contours.z.highlightcolor",
)


def columns(trace: Part) -> tuple[Sequence[object] | np.ndarray, Sequence[object] | np.ndarray, np.ndarray]:
    """The x, y and z data; missing x and y count the columns and rows."""
    z = grid(trace)
    x, y = trace.column("x"), trace.column("y")
    return (x if x is not None else np.arange(z.shape[1])), (y if y is not None else np.arange(z.shape[0])), z


def draw(trace: Part, number: int, axes: Axes3D, scales: tuple[Axis, Axis, Axis], page: Page) -> None:
    """Draw one surface. A piece with a missing corner is left open."""
    raw_x, raw_y, z = columns(trace)
    height = scales[2].units(z)
    x = _spread(scales[0], raw_x, z.shape, along_rows=True)
    y = _spread(scales[1], raw_y, z.shape, along_rows=False)
    painted = trace.column("surfacecolor")
    values = z if painted is None else finite_numbers(painted).reshape(z.shape)
    mapping = page.mapping(_with_scale_shown(trace), values, letter="c")
    points = np.stack([x, y, height], axis=-1)
    corners = np.stack([points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]], axis=2).reshape(-1, 4, 3)
    means = ((values[:-1, :-1] + values[:-1, 1:] + values[1:, 1:] + values[1:, :-1]) / 4).ravel()
    whole = np.isfinite(corners).all(axis=(1, 2)) & np.isfinite(means)
    colours = mapping.colours(means[whole])
    opacity = trace.number("opacity", 1.0)
    colours[:, 3] *= opacity
    pieces = Poly3DCollection(
        list(corners[whole]), facecolors=colours, edgecolors=colours if opacity == 1.0 else "none", linewidths=0.3,
        zorder=1.0 + 1e-6 * number, label=f"_surface {number}",
    )  # fmt: skip
    axes.add_collection3d(pieces, autolim=False)
    for scale, array in zip(scales, (x, y, height), strict=True):
        scale.show(array)
    if trace.flag("showlegend", default=False):
        middle = mapping.colours(np.array([(mapping.low + mapping.high) / 2]))[0]
        page.legend_entries.append(LegendEntry(trace=trace, number=number, handle=Patch(facecolor=tuple(middle))))


def _with_scale_shown(trace: Part) -> Part:
    """Surfaces show their colour bar unless they are told not to."""
    return Part(trace.name, {"showscale": True, **trace.properties})


def _spread(
    axis: Axis, values: Sequence[object] | np.ndarray, shape: tuple[int, ...], *, along_rows: bool
) -> np.ndarray:
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if array.ndim == 2:
        return axis.units(array.ravel()).reshape(shape)
    flat = axis.units(array)
    return np.broadcast_to(flat[None, :] if along_rows else flat[:, None], shape)
