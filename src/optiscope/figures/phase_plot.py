"""A coordinate against its change: a spiral inwards is an oscillation that dies out."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours, Stroke
from optiscope.figures.panel import LEGEND_ABOVE, Panel, head, legend_room, listed_names, place
from optiscope.figures.race_cast import EMPHASISED, extras, legend_label, principals, strokes_of
from optiscope.figures.race_paths import MARKS, divergences
from optiscope.figures.theme import Theme, theme_named

_COORDINATES = 2
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def phase_plot(
    race: Race, *, title: str | None = None, colours: Colours | None = None, theme: str = "light"
) -> go.Figure:
    """The first two coordinates, each against the change that the next step brings, a line an optimizer.

    Plain descent into a valley stays on one side; momentum circles around the minimum. Only the first path of each
    optimizer is drawn.

    Args:
        race: the race.
        title: in place of the standard one.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".
    """
    chosen = theme_named(theme)
    strokes = strokes_of(race, chosen, colours)
    figure = go.Figure()
    count = min(_COORDINATES, race.problem.dimension)
    for index in range(count):
        x = (0.0, 1.0) if count == 1 else (0.0, 0.44) if index == 0 else (0.56, 1.0)
        place(figure, _panel(race, index, strokes, chosen), chosen, number=index + 1, x=x, legend=index == 0)
    several = len(race.paths) > len(race.entries)
    notes = ["The first path of each optimizer is drawn."] if several else []
    if extras(race):
        notes.append(f"Only the best {EMPHASISED} are drawn.")
    heading = title or f"Phases, {race.title}"
    head(figure, chosen, heading, [*notes, *divergences(race)], room=legend_room(listed_names(figure)))
    return figure.update_layout(showlegend=True, legend=LEGEND_ABOVE, hovermode="closest")


def _panel(race: Race, index: int, strokes: dict[str, Stroke], theme: Theme) -> Panel:
    name = f"x{str(index).translate(_SUBSCRIPTS)}"
    firsts = [race.paths_of(label)[0] for label in principals(race)]
    traces = [_line(race, path, index, strokes[path.optimizer]) for path in firsts]
    starts = np.array([_track(path, index)[0] for path in firsts])
    traces.append(
        go.Scatter(
            x=starts[:, 0],
            y=starts[:, 1],
            mode="markers",
            name="start",
            marker={"size": 8, "color": theme.background, "line": {"width": 2, "color": theme.text}},
            hoverinfo="skip",
        )
    )
    return Panel(
        title=name,
        traces=traces,
        x={"title": {"text": name}, **_range([_track(path, index)[:, 0] for path in firsts if _stays(path)])},
        y={
            "title": {"text": f"change of {name}"},
            "zeroline": True,
            "zerolinecolor": theme.muted,
            **_range([_track(path, index)[:, 1] for path in firsts if _stays(path)]),
        },
    )


def _stays(path: Path) -> bool:
    return path.diverged_at is None


def _range(columns: list[np.ndarray]) -> dict[str, list[float]]:
    """The range of the paths that stay finite; plotly's own where there is none."""
    seen = np.concatenate(columns) if columns else np.empty(0)
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return {}
    low, high = float(seen.min()), float(seen.max())
    room = 0.07 * max(high - low, 1e-12)
    return {"range": [low - room, high + room]}


def _track(path: Path, index: int) -> np.ndarray:
    """Coordinate and change, up to a divergence."""
    last = path.steps if path.diverged_at is None else path.diverged_at
    values = path.points[: last + 1, index].astype(np.float64)
    with np.errstate(all="ignore"):
        return np.column_stack([values[:-1], np.diff(values)]) if last else np.array([[values[0], 0.0]])


def _line(race: Race, path: Path, index: int, stroke: Stroke) -> go.Scatter:
    track = _track(path, index)
    rows = np.arange(0, len(track), max(1, -(-len(track) // (2 * MARKS))))
    return go.Scatter(
        x=track[rows, 0],
        y=track[rows, 1],
        customdata=rows,
        mode="lines+markers",
        name=legend_label(race, path.optimizer),
        legendgroup=path.optimizer,
        line={"color": stroke.colour, "width": 1.5, "dash": stroke.dash},
        marker={"size": 3, "color": stroke.colour},
        hovertemplate=f"<b>{path.label}</b>, step %{{customdata:,d}}<br>%{{x:.5g}}, change %{{y:.4g}}<extra></extra>",
    )
