"""From which side to look at a surface, so that it hides as little as possible of the paths on it."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from optiscope.figures.landscape import Area

HEIGHT = 0.55
"""Height of the scene; it is 1 deep, and a little more than 1 wide."""
_WIDENED = 0.7
"""How much wider the scene is when one sees it right from the front: figures are wider than high."""

_DISTANCE = 1.8
_ELEVATIONS = tuple(math.radians(degrees) for degrees in (38, 50, 62))
_ENOUGH = 0.9
"""Share of the points that are seen from which on one need not look from higher up."""
_CUSTOMARY = math.radians(65)
_SIDES = 24
_SAMPLES = 48


def eye_for(
    heights: Float[np.ndarray, "rows columns"], area: Area, points: Float[np.ndarray, "points 3"]
) -> dict[str, float]:
    """Where the camera stands: of two dozen sides the one that sees most of the points.

    Args:
        heights: of the surface, a row per second coordinate.
        area: the rectangle below the surface.
        points: what has to be seen, in the units of the surface; rows with NaN are ignored.
    """
    sides = _CUSTOMARY + 2 * math.pi * np.arange(_SIDES) / _SIDES
    known = points[np.isfinite(points).all(axis=-1)]
    best, elevation, seen = -1.0, _ELEVATIONS[0], [0.0]
    for angle in _ELEVATIONS:
        shares = [_visible(heights, area, known, side, angle) for side in sides.tolist()]
        if max(shares) > best + 0.05:
            best, elevation, seen = max(shares), angle, shares
        if best >= _ENOUGH:
            break
    # Among sides that are about as good, the one nearest to the customary view.
    turns = np.abs(np.angle(np.exp(1j * (sides - _CUSTOMARY))))
    side = min(
        (turn, angle)
        for turn, angle, share in zip(turns.tolist(), sides.tolist(), seen, strict=True)
        if share > best - 0.015
    )[1]
    flat = _DISTANCE * math.cos(elevation)
    return {"x": flat * math.cos(side), "y": flat * math.sin(side), "z": _DISTANCE * math.sin(elevation)}


def proportions(eye: dict[str, float]) -> dict[str, float]:
    """The sides of the scene: the one that lies across the view is longer."""
    flat = math.hypot(eye["x"], eye["y"])
    across = (eye["y"] ** 2 - eye["x"] ** 2) / flat**2
    return {"x": 1.0 + _WIDENED * max(0.0, across), "y": 1.0 + _WIDENED * max(0.0, -across), "z": HEIGHT}


def _visible(
    heights: Float[np.ndarray, "rows columns"],
    area: Area,
    points: Float[np.ndarray, "points 3"],
    side: float,
    elevation: float,
) -> float:
    """Share of the points from which a straight line leads to the eye without going through the surface."""
    if not len(points):
        return 1.0
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    tall = max(high - low, 1e-300)
    ends = np.array(area)
    x, y = ((points[:, axis] - ends[axis, 0]) / (ends[axis, 1] - ends[axis, 0]) for axis in (0, 1))
    z = (points[:, 2] - low) / tall * HEIGHT
    away = np.linspace(0.03, 1.5, _SAMPLES)[:, None]
    across, up = math.cos(elevation), math.sin(elevation)
    rows, columns = heights.shape
    column = np.round((x + away * across * math.cos(side)) * (columns - 1)).astype(int)
    row = np.round((y + away * across * math.sin(side)) * (rows - 1)).astype(int)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    floor = (heights[row.clip(0, rows - 1), column.clip(0, columns - 1)] - low) / tall * HEIGHT
    hidden = inside & (floor > z + away * up)
    return float(1.0 - hidden.any(axis=0).mean())
