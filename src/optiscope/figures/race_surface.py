"""The paths of a race on the surface of the problem, in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours, Stroke
from optiscope.figures.critical_marks import AFTER_PATHS, CROWD, points_by_kind
from optiscope.figures.landscape import Area, Landscape, area_of, landscape_of
from optiscope.figures.panel import head
from optiscope.figures.playback import add_playback, packed
from optiscope.figures.race_cast import (
    OTHERS,
    crowd_sentence,
    extras,
    extras_name,
    joined_rows,
    legend_label,
    principals,
    strokes_of,
)
from optiscope.figures.race_contour import hover_numbers, hover_template, lingers, seen_points
from optiscope.figures.race_paths import DrawnPath, divergences, drawn_paths, frame_steps
from optiscope.figures.race_words import problem_sentence
from optiscope.figures.scale import AxisScale, choose_scale
from optiscope.figures.scene_view import eye_for, proportions
from optiscope.figures.theme import Scale, Theme, scale_list, theme_named

_RESOLUTION = 91
"""Points along each side of the surface."""
_COLOURS: dict[str, Scale] = {
    # Nearly grey: the paths have the colours.
    "light": ((0.0, "#f3f6fa"), (0.35, "#cdd8e6"), (1.0, "#7488a6")),
    "dark": ((0.0, "#161c25"), (0.35, "#2f3b4c"), (1.0, "#71839f")),
}
_LIFT = 0.012
"""How far the paths float above the surface, as a share of its height: lines in a surface flicker."""
_STEEP = 50.0
"""Times the median height above the bottom from which on the highest point makes the heights logarithmic."""


def race_surface(
    race: Race,
    *,
    animated: bool = True,
    area: str | Area | None = None,
    scale: str = "auto",
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """Each optimizer's path on the surface of the problem.

    Args:
        race: a race on a problem of two coordinates.
        animated: whether it has frames, a slider and buttons.
        area: what to draw: "domain", "paths" or the ends along each coordinate, such as ((-2, 5), (-2, 5)); the
            race's own window when None.
        scale: of the heights: "linear", "symlog", or "auto": symmetric-logarithmic where walls would dwarf valleys.
        title: in place of that of the race.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the problem has not two coordinates, or there is no such area.
        UnknownName: no such scale or theme.
    """
    chosen = theme_named(theme)
    part = area_of(race.problem, seen_points(race), area or race.window or "domain")
    drawn = {label: [_on_surface(one, part) for one in several] for label, several in drawn_paths(race, part).items()}
    shown = {label: drawn[label] for label in principals(race)}
    strokes = strokes_of(race, chosen, colours)
    ground = landscape_of(race.problem, part, resolution=_RESOLUTION)
    axis = _height_scale(ground.values, scale)
    heights = axis.positions(ground.values)
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    lift = _LIFT * max(high - low, 1e-12)
    ways = {label: [_way(race, one, axis, ground, lift) for one in several] for label, several in drawn.items()}
    figure = go.Figure(
        [
            _ground(ground.xs, ground.ys, heights, ground.values, chosen),
            *_crowd(race, drawn, ways, strokes),
        ]
    )
    still = len(figure.data)
    for label, several in shown.items():
        for index, (one, way) in enumerate(zip(several, ways[label], strict=True)):
            figure.add_trace(_path(race, label, one, way, strokes[label], part, first=index == 0))
    figure.add_traces([_head(label, shown[label], ways[label], race.steps, strokes[label], chosen) for label in shown])
    leaves = any(one.exit is not None for several in shown.values() for one in several)
    if leaves:
        figure.add_trace(_cross(shown, ways, race.steps, chosen))
    moving = len(figure.data) - still
    # Over the ends of the paths, which are where minima are.
    figure.add_traces(_marks(race, part, axis, 2 * lift, chosen))
    if animated:
        steps = frame_steps(race, shown, columns=3)
        where = list(range(still, still + moving))
        frames = [
            {"name": f"{step:,}", "data": _frame(shown, ways, step, leaves=leaves), "traces": where} for step in steps
        ]
        add_playback(figure, frames, chosen, active=len(steps) - 1, redraw=True, linger=lingers(race))
    seen = [way for several in ways.values() for way in several]
    seen += [np.column_stack([trace.x, trace.y, trace.z]) for trace in figure.data[still + moving :]]
    eye = eye_for(heights, part, np.concatenate(seen))
    _arrange(figure, race, part, axis, (low, high), eye, chosen, title or race.title)
    return figure


def _crowd(
    race: Race,
    drawn: Mapping[str, Sequence[DrawnPath]],
    ways: Mapping[str, Sequence[Float[np.ndarray, "drawn 3"]]],
    strokes: Mapping[str, Stroke],
) -> list[Any]:
    """The optimizers that have no colour, whole and in one trace."""
    labels = extras(race)
    if not labels:
        return []
    height = {id(one): way for label in labels for one, way in zip(drawn[label], ways[label], strict=True)}
    rows = joined_rows([one for label in labels for one in drawn[label]])
    points = np.array([(np.nan,) * 3 if row is None else height[id(row[0])][row[1]] for row in rows])
    return [
        go.Scatter3d(
            **packed(points),
            text=["" if row is None else f"{row[0].path.label}, step {row[0].rows[row[1]]:,}" for row in rows],
            mode="lines",
            name=extras_name(race),
            legendgroup=OTHERS,
            legendrank=AFTER_PATHS - 1,
            line={"color": strokes[labels[0]].colour, "width": 2},
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _cross(
    shown: Mapping[str, Sequence[DrawnPath]],
    ways: Mapping[str, Sequence[Float[np.ndarray, "drawn 3"]]],
    step: int,
    theme: Theme,
) -> Any:
    """Where paths that diverge leave the surface."""
    return go.Scatter3d(
        **_lost(shown, ways, step),
        mode="markers+text",
        name="diverges",
        legendrank=AFTER_PATHS,
        textposition="top center",
        textfont={"color": theme.not_finite, "size": 13},
        marker={"symbol": "x", "size": 8, "color": theme.not_finite},
        hovertemplate="leaves the surface and diverges<extra></extra>",
    )


def _lost(
    shown: Mapping[str, Sequence[DrawnPath]], ways: Mapping[str, Sequence[Float[np.ndarray, "drawn 3"]]], step: int
) -> dict[str, Any]:
    """Always as many marks as paths that leave; nowhere, and without their word, until they have left."""
    places, words = [], []
    for label, several in shown.items():
        for drawn, way in zip(several, ways[label], strict=True):
            if drawn.exit is not None and len(way):
                gone = step >= drawn.rows[-1]
                places.append(way[-1] if gone else np.full(3, np.nan))
                words.append("diverges" if gone else "")
    return {**packed(np.array(places).reshape(-1, 3)), "text": words}


def _on_surface(drawn: DrawnPath, area: Area) -> DrawnPath:
    """Nothing is drawn beyond the edge of the surface: rows that are outside become gaps."""
    ends = np.array(area)
    with np.errstate(invalid="ignore"):
        inside = np.asarray(((drawn.points >= ends[:, 0]) & (drawn.points <= ends[:, 1])).all(axis=-1))
    points = np.where(inside[:, None], drawn.points, np.nan)
    if drawn.exit is not None and len(points):
        points[-1] = drawn.exit
    return DrawnPath(path=drawn.path, rows=drawn.rows, points=points, exit=drawn.exit)


def _way(race: Race, drawn: DrawnPath, axis: AxisScale, ground: Landscape, lift: float) -> Float[np.ndarray, "drawn 3"]:
    """The path in the units of the scene."""
    losses = drawn.path.losses[drawn.rows].astype(np.float64)
    with np.errstate(all="ignore"):
        if drawn.exit is not None and len(losses):
            losses[-1] = race.problem.value(drawn.exit)
        # In a narrow valley the drawn surface is above the true one, and would bury the path.
        heights = np.fmax(axis.positions(losses), _drawn_height(ground, axis, drawn.points))
        return np.column_stack([drawn.points, heights + lift])


def _drawn_height(
    ground: Landscape, axis: AxisScale, points: Float[np.ndarray, "drawn 2"]
) -> Float[np.ndarray, " drawn"]:
    """Height of the drawn surface below points; NaN outside."""
    grid = axis.positions(ground.values)
    places, corners = [], []
    for column, ticks in zip(points.T, (ground.xs, ground.ys), strict=True):
        place = np.interp(column, ticks, np.arange(len(ticks), dtype=np.float64))
        places.append(np.where(np.isfinite(place), place, 0.0))
        corners.append(np.clip(places[-1].astype(int), 0, len(ticks) - 2))
    (column, row), (right, up) = corners, (place - corner for place, corner in zip(places, corners, strict=True))
    low = (1 - right) * grid[row, column] + right * grid[row, column + 1]
    high = (1 - right) * grid[row + 1, column] + right * grid[row + 1, column + 1]
    return np.where(np.isfinite(points).all(axis=-1), (1 - up) * low + up * high, np.nan)


def _height_scale(values: Float[np.ndarray, "rows columns"], asked: str) -> AxisScale:
    finite = values[np.isfinite(values)]
    if asked == "auto":
        above = finite - finite.min()
        median = float(np.median(above))
        asked = "symlog" if median > 0 and float(above.max()) > _STEEP * median else "linear"
        if asked == "linear" and float(above.max()) > _STEEP * float(np.quantile(above, 0.1)) > 0:
            asked = "symlog"
    if asked == "symlog":
        size = float(np.quantile(np.abs(finite), 0.1))
        largest = float(np.abs(finite).max())
        exponent = int(np.floor(np.log10(max(size, 1e-6 * largest, 1e-300))))
        return AxisScale(name="symlog", threshold=10.0**exponent, largest=largest)
    return choose_scale(asked, [finite])


def _ground(xs: Any, ys: Any, heights: Any, values: Any, theme: Theme) -> Any:
    return go.Surface(
        x=xs,
        y=ys,
        z=heights,
        customdata=values,
        colorscale=scale_list(_COLOURS[theme.name]),
        opacity=1.0,
        showscale=False,
        contours={axis: {"highlight": False} for axis in "xyz"},
        lighting={"ambient": 0.85, "diffuse": 0.35, "specular": 0.04, "roughness": 0.9},
        hovertemplate="(%{x:.4g}, %{y:.4g})<br>f = %{customdata:.5g}<extra></extra>",
        name="surface",
    )


def _marks(race: Race, area: Area, axis: AxisScale, lift: float, theme: Theme) -> list[Any]:
    symbols = {
        "global minimum": ("diamond", "minimum"),
        "local minimum": ("diamond", "local minimum"),
        "saddle": ("cross", "saddle"),
    }
    traces = []
    for kind, places in points_by_kind(race, area).items():
        # A crowd of diamonds would hide the surface.
        if kind in symbols and len(places) <= CROWD:
            symbol, name = symbols[kind]
            traces.append(
                go.Scatter3d(
                    x=places[:, 0],
                    y=places[:, 1],
                    z=axis.positions(places[:, 2]) + lift,
                    customdata=places[:, 2],
                    mode="markers",
                    name=name,
                    legendrank=AFTER_PATHS,
                    marker={"symbol": symbol, "size": 5, "color": theme.text},
                    hovertemplate=f"{name} (%{{x:.6g}}, %{{y:.6g}})<br>f = %{{customdata:.6g}}<extra></extra>",
                )
            )
    return traces


def _path(
    race: Race,
    label: str,
    drawn: DrawnPath,
    way: Float[np.ndarray, "drawn 3"],
    stroke: Stroke,
    area: Area,
    *,
    first: bool,
) -> Any:
    return go.Scatter3d(
        **packed(way),
        customdata=hover_numbers(drawn),
        mode="lines+markers",
        name=legend_label(race, label, area),
        legendgroup=label,
        showlegend=first,
        line={"color": stroke.colour, "width": 5, "dash": stroke.dash},
        marker={"size": 2.5, "color": stroke.colour, "line": {"width": 0}},
        hovertemplate=hover_template(label),
    )


def _head(
    label: str,
    several: Sequence[DrawnPath],
    ways: Sequence[Float[np.ndarray, "drawn 3"]],
    step: int,
    stroke: Stroke,
    theme: Theme,
) -> Any:
    return go.Scatter3d(
        **packed(_newest(several, ways, step)),
        mode="markers",
        name=label,
        legendgroup=label,
        showlegend=False,
        marker={"size": 6, "color": stroke.colour, "line": {"width": 1, "color": theme.background}},
        hoverinfo="skip",
    )


def _newest(
    several: Sequence[DrawnPath], ways: Sequence[Float[np.ndarray, "drawn 3"]], step: int
) -> Float[np.ndarray, "paths 3"]:
    places = np.full((len(several), 3), np.nan)
    for index, (drawn, way) in enumerate(zip(several, ways, strict=True)):
        if len(way) and (drawn.exit is None or step < drawn.rows[-1]):
            places[index] = way[max(0, drawn.until(step) - 1)]
    return places


def _frame(
    shown: Mapping[str, Sequence[DrawnPath]],
    ways: Mapping[str, Sequence[Float[np.ndarray, "drawn 3"]]],
    step: int,
    *,
    leaves: bool,
) -> list[Any]:
    traces: list[Any] = []
    for label, several in shown.items():
        for drawn, way in zip(several, ways[label], strict=True):
            traces.append({"type": "scatter3d", **packed(way[: drawn.until(step)])})
    for label, several in shown.items():
        traces.append({"type": "scatter3d", **packed(_newest(several, ways[label], step))})
    if leaves:
        traces.append({"type": "scatter3d", **_lost(shown, ways, step)})
    return traces


def _arrange(
    figure: go.Figure,
    race: Race,
    area: Area,
    axis: AxisScale,
    ends: tuple[float, float],
    eye: dict[str, float],
    theme: Theme,
    title: str,
) -> None:
    bottom = figure.layout.margin.b
    z: dict[str, Any] = {"title": {"text": f"f{axis.suffix}"}, "range": [ends[0], ends[1] + 0.06 * (ends[1] - ends[0])]}
    head(figure, theme, title, [*problem_sentence(race, title), *crowd_sentence(race), *divergences(race)])
    figure.update_layout(
        scene={
            "xaxis": {"title": {"text": "x₀"}, "range": list(area[0])},
            "yaxis": {"title": {"text": "x₁"}, "range": list(area[1])},
            "zaxis": {**z, **axis.axis()},
            "aspectmode": "manual",
            "aspectratio": proportions(eye),
            "camera": {"eye": eye, "center": {"x": 0.0, "y": 0.0, "z": -0.12}},
        },
        showlegend=True,
        legend={"x": 0.0, "y": 1.0},
        margin={"l": 10, "r": 20, "b": bottom or 10},
    )
