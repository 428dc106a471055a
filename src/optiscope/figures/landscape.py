"""A function of two coordinates as a picture: a part of the plane, its heights, and levels that show valleys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.figures.theme import Scale, Theme, scale_list, translucent
from optiscope.problems.functions.function import Function

RESOLUTION = 151
"""Points along each side of a filled contour."""
FINE = 301
"""The same for functions in closed form, which are quick: narrow valleys would break into islands."""

Area: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""Ends along the first and the second coordinate."""

_LEVELS = 14
_LEAST = 1e-6
"""Least distance of two levels, as a share of all heights."""
_GROUND: dict[str, Scale] = {
    # Nearly grey and near the background: the paths have the colours.
    "light": ((0.0, "#ffffff"), (0.5, "#dbe3ee"), (1.0, "#a9b8cc")),
    "dark": ((0.0, "#0d1117"), (0.5, "#232c39"), (1.0, "#465468")),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """The heights of a function over a rectangle."""

    xs: Float[np.ndarray, " columns"]
    """First coordinate of the columns."""
    ys: Float[np.ndarray, " rows"]
    """Second coordinate of the rows."""
    values: Float[np.ndarray, "rows columns"]
    """The function; NaN where it is not finite."""
    levels: Float[np.ndarray, " levels"]
    """Heights of the contour lines, ascending and unevenly spaced."""

    def ranks(self) -> Float[np.ndarray, "rows columns"]:
        """Each height as its place among the levels: 2.5 is halfway between the third and the fourth.

        Plotly knows evenly spaced levels alone; in these numbers ours are.
        """
        return ranks(self.values, self.levels)


def ranks(values: Float[np.ndarray, "*n"], levels: Float[np.ndarray, " levels"]) -> Float[np.ndarray, "*n"]:
    """Places of values among ascending levels, linear in between; at most half a place beyond the ends."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.full(values.shape, np.nan)
    known, places = levels, np.arange(len(levels), dtype=np.float64)
    if finite.min() < levels[0]:
        known, places = np.insert(known, 0, finite.min()), np.insert(places, 0, -0.5)
    if finite.max() > levels[-1]:
        known, places = np.append(known, finite.max()), np.append(places, len(levels) - 0.5)
    return np.where(np.isfinite(values), np.interp(values, known, places), np.nan)


def area_of(function: Function, points: Float[np.ndarray, "points 2"], asked: str | Area) -> Area:
    """The part of the plane to draw.

    Args:
        function: of two coordinates.
        points: what has to be seen, such as starts and paths; those that are not finite are ignored.
        asked: "domain" (the customary domain, with a little more if points lie outside), "paths" (the points and a
            margin around them), or the ends along each coordinate.
    """
    if function.dimension != 2:
        raise ArgumentError(
            f"Only a function of two coordinates has a contour; {function.name} has {function.dimension}. "
            'Draw the view "curves" instead.'
        )
    if not isinstance(asked, str):
        return _checked(asked)
    finite = points[np.isfinite(points).all(axis=-1)]
    if asked == "paths" and len(finite):
        low, high = finite.min(axis=0), finite.max(axis=0)
        span = np.maximum(high - low, 1e-3 * max(1e-9, float((high - low).max()), 1e-6))
        # A path along one axis would be a sliver: no side is less than a third of the other.
        missing = np.maximum(span.max() / 3 - span, 0.0)
        low, high = low - missing / 2 - 0.12 * span.max(), high + missing / 2 + 0.12 * span.max()
    elif asked in ("domain", "paths"):
        bounds = function.bounds
        low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
        span = high - low
        near = finite[((finite >= low - 0.5 * span) & (finite <= high + 0.5 * span)).all(axis=-1)]
        if len(near):
            # A start at the very edge would be cut in half.
            low, high = (
                np.minimum(low, near.min(axis=0) - 0.04 * span),
                np.maximum(high, near.max(axis=0) + 0.04 * span),
            )
    else:
        raise ArgumentError(
            'The area is "domain", "paths" or a pair of ends for each coordinate, such as ((-2, 5), (-2, 5)). '
            f"Received: {asked!r}."
        )
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _checked(asked: Area) -> Area:
    ends = np.asarray(asked, dtype=np.float64)
    if ends.shape != (2, 2) or not np.isfinite(ends).all() or not (ends[:, 0] < ends[:, 1]).all():
        raise ArgumentError(
            "An area has a lower and a higher end for each of two coordinates, such as ((-2, 5), (-2, 5)). "
            f"Received: {asked!r}."
        )
    return (float(ends[0, 0]), float(ends[0, 1])), (float(ends[1, 0]), float(ends[1, 1]))


def landscape_of(
    function: Function, area: Area, *, resolution: int | None = None, through: Sequence[float] = ()
) -> Landscape:
    """Evaluate a function over an area.

    Args:
        function: of two coordinates.
        area: where.
        resolution: points along each side; `FINE` for a function in closed form and `RESOLUTION` else when None.
        through: heights at which there must be a contour line, such as those of saddles.
    """
    if resolution is None:
        resolution = FINE if function.gradient_source == "closed form" else RESOLUTION
    xs, ys = (np.linspace(low, high, resolution) for low, high in area)
    with np.errstate(all="ignore"):
        values = function.value(np.stack(np.meshgrid(xs, ys), axis=-1))
    values = np.where(np.isfinite(values), values, np.nan)
    bounded = math.isfinite(function.minimum)
    return Landscape(xs=xs, ys=ys, values=values, levels=levels_of(values, through=through, bounded=bounded))


def levels_of(
    values: Float[np.ndarray, "*n"], *, through: Sequence[float] = (), bounded: bool = True
) -> Float[np.ndarray, " levels"]:
    """Heights for contour lines: between even shares of the area and even steps of the logarithm above the bottom.

    Even steps of height show nothing of a valley that is a thousandth as deep as the walls are high; even shares of the
    area show where it is, and the logarithm what is in it.

    Args:
        values: the heights.
        through: heights that must be among them.
        bounded: whether the function has a bottom; the logarithm is left out where it has none.
    """
    finite = np.sort(values[np.isfinite(values)].ravel())
    if not len(finite) or finite[0] == finite[-1]:
        middle = float(finite[0]) if len(finite) else 0.0
        return np.array([middle, middle + max(abs(middle), 1.0)])
    above = finite - finite[0]
    shares = np.linspace(0.0, 1.0, len(finite))
    if bounded:
        bottom = max(float(np.quantile(above, 0.003)), 1e-9 * float(above[-1]))
        logarithms = np.log(np.maximum(above, bottom) / bottom) / math.log(float(above[-1]) / bottom)
        shares = (shares + logarithms) / 2
    wanted = (np.arange(_LEVELS) + 0.5) / _LEVELS
    raw = np.interp(wanted, shares, finite)
    # Levels that only rounding tells apart would draw the noise of a plain.
    span = float(above[-1])
    raw = np.array(
        [level for level, before in zip(raw, [-np.inf, *raw[:-1]], strict=True) if level - before > _LEAST * span]
    )
    rounded = _rounded(raw) if len(raw) > 1 else raw
    inside = [level for level in through if finite[0] < level < finite[-1]]
    for level in inside:
        gaps = np.abs(rounded - level)
        rounded[int(gaps.argmin())] = level
    return np.unique(rounded)


def _rounded(levels: Float[np.ndarray, " levels"]) -> Float[np.ndarray, " levels"]:
    """Levels with as few digits as tell each from its neighbours."""
    gaps = np.diff(levels)
    smaller = np.minimum(np.append(gaps, gaps[-1:]), np.insert(gaps, 0, gaps[0]))
    rounded = []
    for level, gap in zip(levels.tolist(), smaller.tolist(), strict=True):
        digits = -math.floor(math.log10(gap)) if gap > 0 else 12
        # Adding zero takes the sign off a negative one.
        rounded.append(round(level, digits) + 0.0)
    return np.array(rounded)


def contour_trace(landscape: Landscape, theme: Theme, *, title: str = "f") -> Any:
    """The landscape as a filled contour with a colour bar of true heights."""
    count = len(landscape.levels)
    return go.Contour(
        x=landscape.xs,
        y=landscape.ys,
        z=landscape.ranks().astype(np.float32),
        customdata=landscape.values,
        colorscale=scale_list(_GROUND[theme.name]),
        zmin=-0.5,
        zmax=count - 0.5,
        contours={"start": 0, "end": count - 1, "size": 1, "coloring": "fill"},
        line={"width": 0.7, "color": translucent(theme.muted, 0.55)},
        colorbar=colour_bar(landscape, theme, title),
        hovertemplate="(%{x:.4g}, %{y:.4g})<br>f = %{customdata:.5g}<extra></extra>",
        showlegend=False,
    )


def colour_bar(landscape: Landscape, theme: Theme, title: str) -> dict[str, Any]:
    """A colour bar over places among the levels, with the true heights as labels."""
    levels = landscape.levels.tolist()
    # Heights of saddles are levels too, but no numbers to read.
    plain = [place for place, level in enumerate(levels) if float(f"{level:.2g}") == level]
    named = plain if len(plain) >= 3 else list(range(len(levels)))
    named = named[:: max(1, math.ceil(len(named) / 8))]
    return {
        "title": {"text": title, "font": {"size": 12, "color": theme.text}},
        "tickfont": {"size": 11, "color": theme.text},
        "tickcolor": theme.muted,
        "tickmode": "array",
        "tickvals": named,
        "ticktext": [_tick(levels[place]) for place in named],
        "outlinewidth": 0,
        "ticks": "outside",
        "ticklen": 3,
        "thickness": 14,
        "x": 1.012,
        "xpad": 0,
    }


def _tick(level: float) -> str:
    """A height in few letters: 40,000 and 1.2e7."""
    text = f"{level:,.5g}" if abs(level) < 1e6 else f"{level:.3g}".replace("e+0", "e").replace("e+", "e")
    return (f"{level:,.0f}" if "e+" in text and abs(level) < 1e6 else text).replace("-", "−")


def ground_scale(theme: Theme) -> Scale:
    """The colours of heights, from low to high."""
    return _GROUND[theme.name]
