"""Minima, saddles and maxima of a problem as marks with a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.experiments.race.result import Race
from optiscope.figures.landscape import Area
from optiscope.figures.theme import Theme

_SYMBOLS = {
    "global minimum": ("star", 12),
    "local minimum": ("star", 9),
    "saddle": ("x-thin", 9),
    "maximum": ("triangle-up", 9),
    "degenerate": ("diamond", 8),
}
_NAMES = {
    "global minimum": ("minimum", "minima"),
    "local minimum": ("local minimum", "local minima"),
    "saddle": ("saddle", "saddles"),
    "maximum": ("maximum", "maxima"),
    "degenerate": ("degenerate critical point", "degenerate critical points"),
}
CROWD = 25
"""Marks of one kind from which on they are drawn smaller."""
AFTER_PATHS = 2000
"""Rank in the legend of what is no path."""
_SAME = 1e-4
"""Points nearer to each other than this share of the picture are one."""


def points_by_kind(race: Race, area: Area) -> dict[str, Float[np.ndarray, "points 3"]]:
    """Coordinates and heights of the critical points in the picture; the known global minima apart from the local."""
    ends = np.array(area)
    low, high = ends[:, 0], ends[:, 1]
    known = race.problem.minima
    with np.errstate(all="ignore"):
        heights = race.problem.value(known)
    found: dict[str, list[list[float]]] = {kind: [] for kind in _SYMBOLS}
    found["global minimum"] = [[*point, height] for point, height in zip(known.tolist(), heights.tolist(), strict=True)]
    for critical in race.critical_points:
        near = len(known) and bool((np.abs(known - critical.point) <= _SAME * (high - low)).all(axis=-1).any())
        if not near:
            found["local minimum" if critical.kind == "minimum" else critical.kind].append(
                [*critical.point.tolist(), critical.value]
            )
    result = {}
    for kind, rows in found.items():
        places = np.array(rows).reshape(-1, 3)
        places = places[((places[:, :2] >= low) & (places[:, :2] <= high)).all(axis=-1)]
        if len(places):
            result[kind] = places
    return result


def saddle_heights(race: Race) -> list[float]:
    """Heights of the saddles, if they are few: the contour through a saddle parts two valleys."""
    heights = {round(point.value, 12) for point in race.critical_points if point.kind == "saddle"}
    return sorted(heights) if len(heights) <= 3 else []


def critical_marks(race: Race, area: Area, theme: Theme) -> list[Any]:
    """A trace for each kind of critical point."""
    traces = []
    for kind, places in points_by_kind(race, area).items():
        symbol, size = _SYMBOLS[kind]
        few = len(places) <= CROWD
        edge = theme.text if symbol == "x-thin" else theme.background
        traces.append(
            go.Scatter(
                x=places[:, 0],
                y=places[:, 1],
                customdata=places[:, 2],
                mode="markers",
                name=_NAMES[kind][len(places) > 1],
                legendrank=AFTER_PATHS,
                marker={
                    "symbol": symbol,
                    "size": size if few else 0.6 * size,
                    "color": theme.text,
                    "line": {"width": 2 if symbol == "x-thin" else 1, "color": edge},
                },
                hovertemplate=f"{_NAMES[kind][0]} (%{{x:.6g}}, %{{y:.6g}})<br>f = %{{customdata:.6g}}<extra></extra>",
            )
        )
    return traces
