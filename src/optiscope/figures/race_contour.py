"""The paths of a race on a filled contour, still or moving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours, Stroke
from optiscope.figures.critical_marks import AFTER_PATHS, critical_marks, saddle_heights
from optiscope.figures.filled_contour import filled_contour
from optiscope.figures.landscape import Area, area_of, contour_trace, landscape_of
from optiscope.figures.panel import LEGEND_ABOVE, head, legend_room, listed_names
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
from optiscope.figures.race_paths import DrawnPath, divergences, drawn_paths, frame_steps, mark_sizes
from optiscope.figures.race_words import problem_sentence
from optiscope.figures.theme import Theme, theme_named

_CROWDED = 12
"""Paths from which on each is drawn thinner and paler."""


def race_contour(
    race: Race,
    *,
    animated: bool = True,
    filled: bool | None = None,
    area: str | Area | None = None,
    equal: bool = False,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """Each optimizer's path with a mark per step on the contours of the problem, its minima and its saddles.

    A moving figure shows the whole paths until it is played: its last frame is what is seen first.

    Args:
        race: a race on a problem of two coordinates.
        animated: whether it has frames, a slider and buttons.
        filled: whether the ground is made of filled areas, which bear being animated and say nothing when hovered,
            instead of a contour trace; when None as it has to be.
        area: what to draw: "domain", "paths" or the ends along each coordinate, such as ((-2, 5), (-2, 5)); the
            race's own window when None.
        equal: whether a unit is as long along both axes, so that gradients stand upright on contour lines.
        title: in place of that of the race.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the problem has not two coordinates, or there is no such area.
        UnknownName: no such theme.
    """
    chosen = theme_named(theme)
    part = area_of(race.problem, seen_points(race), area or race.window or "domain")
    drawn = drawn_paths(race, part)
    shown = {label: drawn[label] for label in principals(race)}
    strokes = strokes_of(race, chosen, colours)
    ground = landscape_of(race.problem, part, through=saddle_heights(race))
    as_fills = animated if filled is None else filled
    floor = filled_contour(ground, chosen) if as_fills else [contour_trace(ground, chosen)]
    figure = go.Figure([*floor, *_crowd(race, drawn, strokes), _starts(race, chosen)])
    still = len(figure.data)
    steps = frame_steps(race, shown) if animated else [race.steps]
    moving = moving_traces(race, shown, strokes, part, chosen)
    # Over the ends of the paths, which are where minima are.
    figure.add_traces([*moving, *critical_marks(race, part, chosen)])
    if animated:
        where = list(range(still, still + len(moving)))
        frames = [{"name": f"{step:,}", "data": _frame(shown, step), "traces": where} for step in steps]
        add_playback(figure, frames, chosen, active=len(steps) - 1, redraw=False, linger=lingers(race))
    _arrange(figure, race, part, chosen, title or race.title, equal=equal)
    return figure


def moving_traces(
    race: Race, shown: Mapping[str, Sequence[DrawnPath]], strokes: Mapping[str, Stroke], area: Area, theme: Theme
) -> list[Any]:
    """What changes from frame to frame: the paths, their heads, the crosses of those that leave."""
    traces: list[Any] = []
    for label, several in shown.items():
        for index, drawn in enumerate(several):
            traces.append(_path_trace(race, label, drawn, strokes[label], area, first=index == 0))
    for label, several in shown.items():
        colour = strokes[label].colour
        traces.append(
            go.Scatter(
                **_heads(several, race.steps),
                mode="markers",
                name=label,
                legendgroup=label,
                showlegend=False,
                marker={"size": 11, "color": colour, "line": {"width": 1.5, "color": theme.background}},
                hoverinfo="skip",
            )
        )
    traces.append(
        go.Scatter(
            **_lost(shown, race.steps),
            mode="markers",
            name="diverges",
            legendrank=AFTER_PATHS,
            showlegend=any(drawn.exit is not None for several in shown.values() for drawn in several),
            marker={
                "symbol": "x",
                "size": 12,
                "color": theme.not_finite,
                "line": {"width": 1.5, "color": theme.background},
            },
            hovertemplate="leaves the picture and diverges<extra></extra>",
        )
    )
    return traces


def _crowd(race: Race, drawn: Mapping[str, Sequence[DrawnPath]], strokes: Mapping[str, Stroke]) -> list[Any]:
    """The optimizers that have no colour, whole and in one trace."""
    labels = extras(race)
    if not labels:
        return []
    rows = joined_rows([path for label in labels for path in drawn[label]])
    points = np.array([(np.nan, np.nan) if row is None else row[0].points[row[1]] for row in rows])
    return [
        go.Scatter(
            **packed(points),
            text=["" if row is None else f"{row[0].path.label}, step {row[0].rows[row[1]]:,}" for row in rows],
            mode="lines",
            name=extras_name(race),
            legendgroup=OTHERS,
            legendrank=AFTER_PATHS - 1,
            line={"color": strokes[labels[0]].colour, "width": 1},
            hovertemplate="%{text}<extra></extra>",
        )
    ]


def _frame(shown: Mapping[str, Sequence[DrawnPath]], step: int) -> list[Any]:
    """The same traces at a step, with no more than what differs."""
    traces: list[Any] = []
    for several in shown.values():
        for drawn in several:
            count = drawn.until(step)
            traces.append({"type": "scatter", **packed(drawn.points[:count])})
    traces += [{"type": "scatter", **_heads(several, step)} for several in shown.values()]
    traces.append({"type": "scatter", **_lost(shown, step)})
    return traces


def _path_trace(race: Race, label: str, drawn: DrawnPath, stroke: Stroke, area: Area, *, first: bool) -> Any:
    crowded = len(race.starts) * len(race.seeds) * len(principals(race)) > _CROWDED
    size = 3.5 if crowded else 5.0
    return go.Scatter(
        **packed(drawn.points),
        customdata=hover_numbers(drawn),
        mode="lines+markers",
        name=legend_label(race, label, area),
        legendgroup=label,
        showlegend=first,
        opacity=0.6 if crowded else 1.0,
        line={"color": stroke.colour, "width": 1.2 if crowded else 1.8, "dash": stroke.dash},
        # Without rims, which would bleach the line where marks stand close.
        marker={"size": mark_sizes(drawn, area, size).tolist(), "color": stroke.colour, "line": {"width": 0}},
        hovertemplate=hover_template(label),
    )


def hover_numbers(drawn: DrawnPath) -> Float[np.ndarray, "drawn 5"]:
    """Step, coordinates, loss and gradient norm of each mark."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(drawn.path.gradients[drawn.rows], axis=-1)
    points = drawn.path.points[drawn.rows, :2]
    return np.column_stack([drawn.rows, points, drawn.path.losses[drawn.rows], norms])


def hover_template(label: str) -> str:
    """How `hover_numbers` read."""
    return (
        f"<b>{label}</b>, step %{{customdata[0]:,d}}<br>(%{{customdata[1]:.5g}}, %{{customdata[2]:.5g}})<br>"
        "loss %{customdata[3]:.5g}<br>‖gradient‖ %{customdata[4]:.4g}<extra></extra>"
    )


def _heads(several: Sequence[DrawnPath], step: int) -> dict[str, Any]:
    """The newest point of each path; a path that has left has none."""
    present = [drawn for drawn in several if drawn.exit is None or step < drawn.rows[-1]]
    return _places([drawn.points[drawn.until(step) - 1] for drawn in present], len(several))


def _lost(shown: Mapping[str, Sequence[DrawnPath]], step: int) -> dict[str, Any]:
    """Where paths have left the picture for good by a step."""
    every = [drawn for several in shown.values() for drawn in several if drawn.exit is not None]
    return _places([drawn.exit for drawn in every if step >= drawn.rows[-1]], len(every))


def _places(points: Sequence[np.ndarray | None], count: int) -> dict[str, Any]:
    """Always `count` marks, of which the last may be nowhere: browsers keep old marks when a trace becomes empty."""
    places = np.full((count, 2), np.nan)
    places[: len(points)] = np.array(points).reshape(-1, 2)
    return packed(places)


def _starts(race: Race, theme: Theme) -> Any:
    return go.Scatter(
        x=race.starts[:, 0],
        y=race.starts[:, 1],
        mode="markers",
        name="start" if len(race.starts) == 1 else "starts",
        legendrank=AFTER_PATHS,
        marker={"symbol": "circle", "size": 9, "color": theme.background, "line": {"width": 2, "color": theme.text}},
        hovertemplate="start (%{x:.5g}, %{y:.5g})<extra></extra>",
    )


def seen_points(race: Race) -> Float[np.ndarray, "points 2"]:
    """Starts and the paths that stay finite."""
    if race.problem.dimension != 2:
        return np.empty((0, 2))
    return np.concatenate([race.starts, *(path.points for path in race.paths if path.diverged_at is None)])


def lingers(race: Race) -> bool:
    """Whether the beginning has to be shown slowly: what diverges is gone within a second."""
    return any(path.diverged_at is not None for path in race.paths)


def _arrange(figure: go.Figure, race: Race, area: Area, theme: Theme, title: str, *, equal: bool) -> None:
    below = figure.layout.margin.b
    room = legend_room(listed_names(figure))
    head(figure, theme, title, [*problem_sentence(race, title), *crowd_sentence(race), *divergences(race)], room=room)
    figure.update_layout(
        showlegend=True,
        legend=LEGEND_ABOVE,
        xaxis={"title": {"text": "x₀"}, "range": list(area[0]), "showgrid": False},
        yaxis={"title": {"text": "x₁"}, "range": list(area[1]), "showgrid": False},
        hovermode="closest",
        margin={"b": below or 54},
    )
    if equal:
        figure.update_layout(
            xaxis={"constrain": "domain"}, yaxis={"constrain": "domain", "scaleanchor": "x", "scaleratio": 1}
        )
