"""The path of the weights through a plane or a space."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int64

from optiscope.analysis.trajectory import Trajectory
from optiscope.figures.colours import Colours, Stroke, assign_colours, legible_scale
from optiscope.figures.panel import LEGEND_ABOVE, ROW, Panel, head, place
from optiscope.figures.theme import Theme, theme_named, translucent
from optiscope.figures.wording import short

_OFF_PLANE_SHARE = 0.2


def path(
    trajectory: Trajectory,
    *,
    off_plane: bool = True,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """The snapshots of one or several runs in order, from the open circle at the start to the square at the end.

    The subtitle says how much of the movement is seen and how much would be seen of a random walk. Below a plane, the
    distance of each snapshot from it is drawn over the steps: where it is large, the path is elsewhere.

    Args:
        trajectory: result of `optiscope.trajectory`, with two or three components.
        off_plane: whether to draw the distance from the plane (two components only).
        title: in place of the standard one.
        colours: colours by run name, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        UnknownName: no such theme.
    """
    chosen = theme_named(theme)
    heading = title or _title(trajectory)
    if trajectory.components == 3:
        return _space(trajectory, heading, colours, chosen)
    panel = path_panel(trajectory, theme=chosen, colours=colours, title=heading)
    if not off_plane:
        return panel.figure(chosen, subtitle=trajectory.sentences)
    figure = go.Figure()
    share = _OFF_PLANE_SHARE
    place(figure, panel, chosen, number=1, y=(share + 0.15, 1.0))
    place(
        figure,
        off_plane_panel(trajectory, theme=chosen, colours=colours),
        chosen,
        number=2,
        y=(0.0, share),
        legend=False,
    )
    above = panel.legend_above
    figure.update_layout(showlegend=True, legend=LEGEND_ABOVE if above else {})
    head(figure, chosen, heading, trajectory.sentences, room=ROW if above else 0)
    return figure


def path_panel(
    trajectory: Trajectory, *, theme: Theme, colours: Colours | None = None, title: str | None = None
) -> Panel:
    """The plane of `path` as a part of a larger figure."""
    strokes = assign_colours(trajectory.run_names, theme, colours)
    alone = len(trajectory.run_names) == 1
    traces: list[Any] = []
    for index, name in enumerate(trajectory.run_names):
        places, steps = trajectory.coordinates[index], trajectory.steps[index]
        if len(steps) == 0:
            continue
        x, y = places[:, 0], places[:, 1]
        hover = _hover(trajectory, index)
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                name=short(name),
                legendgroup=None if alone else name,
                showlegend=not alone,
                line={
                    "color": theme.muted if alone else strokes[name].colour,
                    "width": 1 if alone else 1.5,
                    "dash": strokes[name].dash,
                },
                hoverinfo="skip",
            )
        )
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="markers",
                showlegend=False,
                legendgroup=None if alone else name,
                marker=_step_markers(steps, theme) if alone else {"color": strokes[name].colour, "size": 4},
                text=hover,
                hovertemplate="%{text}<extra></extra>",
            )
        )
        traces += _ends(x, y, strokes[name], theme, alone=alone)
    traces += _ends_in_legend(theme)
    return Panel(
        title=title or _title(trajectory),
        traces=traces,
        x={"title": {"text": trajectory.axis_titles[0]}},
        y={"title": {"text": trajectory.axis_titles[1]}},
        legend_above=alone,
    )


def off_plane_panel(trajectory: Trajectory, *, theme: Theme, colours: Colours | None = None) -> Panel:
    """Distance of each snapshot from the plane, over the steps."""
    strokes = assign_colours(trajectory.run_names, theme, colours)
    traces = [
        go.Scatter(
            x=trajectory.steps[index],
            y=trajectory.distance_off[index],
            mode="lines+markers",
            name=short(name),
            legendgroup=name,
            line={"color": strokes[name].colour, "width": 1.5, "dash": strokes[name].dash},
            marker={"size": 3},
            hovertemplate=f"{name}, step %{{x}}<br>%{{y:.4g}} off the plane<extra></extra>",
        )
        for index, name in enumerate(trajectory.run_names)
    ]
    return Panel(
        title="Distance from the plane",
        traces=traces,
        x={"title": {"text": "step"}, "exponentformat": "none", "separatethousands": True},
        y={"title": {"text": "off plane"}, "rangemode": "tozero", "nticks": 4},
    )


def _ends(x: Any, y: Any, stroke: Stroke, theme: Theme, *, alone: bool) -> list[Any]:
    colour = theme.text if alone else stroke.colour
    return [
        go.Scatter(
            x=[x[at]],
            y=[y[at]],
            mode="markers",
            showlegend=False,
            marker={"symbol": symbol, "size": 11, "color": fill, "line": {"width": 2, "color": colour}},
            hoverinfo="skip",
        )
        for at, symbol, fill in ((0, "circle", theme.background), (-1, "square", colour))
    ]


def _ends_in_legend(theme: Theme) -> list[Any]:
    """What the marks at the ends mean, once for all runs and in no run's colour."""
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=label,
            marker={"symbol": symbol, "size": 9, "color": fill, "line": {"width": 2, "color": theme.text}},
            hoverinfo="skip",
        )
        for label, symbol, fill in (("start", "circle", theme.background), ("end", "square", theme.text))
    ]


def _step_markers(steps: Int64[np.ndarray, " snapshots"], theme: Theme) -> dict[str, Any]:
    return {
        "size": 6,
        "color": steps,
        "colorscale": legible_scale(theme),
        "showscale": True,
        "colorbar": {"title": {"text": "step", "side": "right"}, "nticks": 5, "exponentformat": "none"},
    }


def _space(trajectory: Trajectory, title: str, colours: Colours | None, theme: Theme) -> go.Figure:
    strokes = assign_colours(trajectory.run_names, theme, colours)
    alone = len(trajectory.run_names) == 1
    figure = go.Figure()
    for index, name in enumerate(trajectory.run_names):
        places, steps = trajectory.coordinates[index], trajectory.steps[index]
        if len(steps) == 0:
            continue
        marker: dict[str, Any] = {"color": strokes[name].colour, "size": 3}
        if alone:
            stepped = _step_markers(steps, theme)
            marker = {**stepped, "size": 3, "colorbar": {**stepped["colorbar"], "len": 0.7, "x": 1.0}}
        figure.add_scatter3d(
            x=places[:, 0],
            y=places[:, 1],
            z=places[:, 2],
            mode="lines+markers",
            name=short(name),
            legendgroup=name,
            showlegend=not alone,
            line={"color": translucent(theme.muted, 0.6) if alone else strokes[name].colour, "width": 4},
            marker=marker,
            text=_hover(trajectory, index),
            hovertemplate="%{text}<extra></extra>",
        )
        for label, at, symbol in (("start", 0, "circle-open"), ("end", -1, "square")):
            figure.add_scatter3d(
                x=places[at:, 0][:1],
                y=places[at:, 1][:1],
                z=places[at:, 2][:1],
                mode="markers",
                name=label,
                showlegend=index == len(trajectory.run_names) - 1,
                marker={"symbol": symbol, "size": 6, "color": theme.text if alone else strokes[name].colour},
                hoverinfo="skip",
            )
    figure.update_layout(
        scene={
            **{
                f"{axis}axis": {"title": {"text": text}}
                for axis, text in zip("xyz", trajectory.axis_titles, strict=True)
            },
            "aspectmode": "cube",
            "camera": {"eye": {"x": 1.65, "y": 1.65, "z": 1.15}, "center": {"x": 0.0, "y": 0.0, "z": -0.15}},
        },
        legend={"x": 0.0, "y": 1.0},
    )
    head(figure, theme, title, trajectory.sentences)
    figure.update_layout(margin={"l": 10, "r": 30, "b": 10})
    return figure


def _hover(trajectory: Trajectory, index: int) -> list[str]:
    name = trajectory.run_names[index]
    texts = []
    for step, loss, off in zip(
        trajectory.steps[index], trajectory.losses[index], trajectory.distance_off[index], strict=True
    ):
        lines = [f"{name}, step {step:,}"]
        if np.isfinite(loss):
            lines.append(f"loss {loss:.4g}")
        lines.append(f"{off:.4g} off the plane")
        texts.append("<br>".join(lines))
    return texts


def _title(trajectory: Trajectory) -> str:
    names = trajectory.run_names
    whose = names[0] if len(names) == 1 else f"{len(names)} runs"
    return f"Path of the weights, {whose}"
