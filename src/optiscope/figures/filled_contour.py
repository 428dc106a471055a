"""A filled contour made of plain lines and fills, which may lie under something that moves.

Plotly.js takes contour traces away while it moves others on the same axes; lines and fills it leaves in place.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from contourpy import FillType, LineType, contour_generator
from jaxtyping import Float

from optiscope.figures.colours import at_position
from optiscope.figures.landscape import Landscape, colour_bar, ground_scale
from optiscope.figures.theme import Theme, translucent


def filled_contour(landscape: Landscape, theme: Theme, *, title: str = "f") -> list[Any]:
    """One trace for each height that is filled, then the lines, then a mark that carries the colour bar.

    What is filled from a level upwards lies on what is filled from the level below, so no gap can shine through.
    """
    heights = np.ma.masked_invalid(landscape.ranks())
    count = len(landscape.levels)
    generator = contour_generator(
        landscape.xs, landscape.ys, heights, fill_type=FillType.OuterOffset, line_type=LineType.ChunkCombinedNan
    )
    colours = [at_position(ground_scale(theme), place / count) for place in range(count + 1)]
    traces: list[Any] = []
    for place, colour in enumerate(colours):
        outline = _outline(generator.filled(place - 1.0 if place else -10.0, count + 10.0))
        if len(outline):
            traces.append(_quiet(outline, mode="none", fill="toself", fillcolor=colour))
    lines = [piece for place in range(count) for piece in _pieces(generator.lines(float(place)))]
    if lines:
        line = {"width": 0.7, "color": translucent(theme.muted, 0.55)}
        traces.append(_quiet(np.concatenate(lines)[:-1], mode="lines", line=line))
    traces.append(_scale(landscape, theme, title))
    return traces


def _outline(filled: Any) -> Float[np.ndarray, "points 2"]:
    """The rims of polygons and of their holes, which run the other way round, with gaps between them."""
    gap = np.full((1, 2), np.nan)
    pieces: list[np.ndarray] = []
    for points, offsets in zip(*filled, strict=True):
        for start, stop in itertools.pairwise(offsets):
            pieces += [points[start:stop], gap]
    return np.concatenate(pieces[:-1]) if pieces else np.empty((0, 2))


def _pieces(lines: Any) -> list[Float[np.ndarray, "points 2"]]:
    gap = np.full((1, 2), np.nan)
    return [piece for chunk in lines[0] if chunk is not None for piece in (chunk, gap)]


def _quiet(points: Float[np.ndarray, "points 2"], **looks: Any) -> Any:
    flat = points.astype(np.float32)
    return go.Scatter(x=flat[:, 0], y=flat[:, 1], hoverinfo="skip", showlegend=False, **looks)


def _scale(landscape: Landscape, theme: Theme, title: str) -> Any:
    count = len(landscape.levels)
    steps = [[edge / (count + 1), colour] for edge, colour in _stepped(theme, count)]
    return go.Scatter(
        x=[math.nan],
        y=[math.nan],
        mode="markers",
        marker={
            "color": [0.0],
            "cmin": -1.0,
            "cmax": float(count),
            "colorscale": steps,
            "showscale": True,
            "colorbar": colour_bar(landscape, theme, title),
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _stepped(theme: Theme, count: int) -> list[tuple[int, str]]:
    """Both ends of each of the steps of the colour bar."""
    scale = ground_scale(theme)
    return [(edge, at_position(scale, place / count)) for place in range(count + 1) for edge in (place, place + 1)]
