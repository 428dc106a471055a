"""What goes on inside an optimizer, step by step: gradient, momentum, the scale of each coordinate, the look-ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.errors import ArgumentError, UnknownName
from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours
from optiscope.figures.critical_marks import critical_marks
from optiscope.figures.filled_contour import filled_contour
from optiscope.figures.landscape import RESOLUTION, Area, area_of, landscape_of
from optiscope.figures.panel import LEGEND_ABOVE, head, legend_room, listed_names
from optiscope.figures.playback import add_playback, packed
from optiscope.figures.race_cast import strokes_of
from optiscope.figures.race_paths import FRAMES
from optiscope.figures.theme import Theme, theme_named, translucent

_ASPECT = 1.6
"""Width of the axes for each unit of height."""
_ARROW = 0.17
"""Length of the longer of two arrows that are compared, as a share of the picture."""
_ELLIPSE = 0.1
"""Longer half axis of the ellipse, as a share of the smaller side of the picture."""
_CORNERS = 49
"""Points of the ellipse."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Arrow:
    """A vector that is drawn at each step, from where the optimizer then is."""

    name: str
    vectors: Float[np.ndarray, "rows 2"]
    group: str
    """Arrows of a group are drawn to one scale."""


def race_internals(
    race: Race,
    *,
    optimizer: str | None = None,
    step: int | None = None,
    animated: bool = True,
    area: str | Area = "paths",
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """One path of one optimizer with the state that it carries along, at a step that a slider chooses.

    Arrows: −gradient and −momentum to one scale, the velocity and the step that follows to another; at every step the
    scale is such that the longer arrow has the same length, so directions and proportions are seen and sizes are not.
    The ellipse: its half axes are in proportion to the effective learning rates of the coordinates. The diamond: where
    a rule that looks ahead takes its gradient.

    Args:
        race: a race on a problem of two coordinates.
        optimizer: its label; the best that carries a state when None.
        step: which is seen first; one at which momentum and gradient disagree when None.
        animated: whether it has frames and a slider.
        area: what to draw: "domain", "paths" (this path) or the ends along each coordinate.
        title: in place of the standard one.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the problem has not two coordinates, or there is no such step or area.
        UnknownName: no such optimizer or theme.
    """
    chosen = theme_named(theme)
    path = _path_of(race, optimizer)
    last = path.steps if path.diverged_at is None else max(0, path.diverged_at - 1)
    part = _in_proportion(area_of(race.problem, path.points[: last + 1], area))
    arrows = _arrows(path)
    here = _telling_step(path, arrows, last) if step is None else step
    if not 0 <= here <= last:
        raise ArgumentError(f"{path.label} has steps 0 to {last} that can be drawn. Received: step={step!r}.")
    stroke = strokes_of(race, chosen, colours)[path.optimizer]
    figure = go.Figure(
        [
            *filled_contour(landscape_of(race.problem, part, resolution=RESOLUTION), chosen),
            *critical_marks(race, part, chosen),
        ]
    )
    still = len(figure.data)
    figure.add_traces(_traces(path, arrows, part, here, last, stroke.colour, chosen))
    if animated:
        stride = max(1, -(-last // FRAMES))
        steps = sorted({*range(0, last + 1, stride), here, last})
        where = list(range(still, len(figure.data)))
        frames = [
            {"name": f"{at:,}", "data": list(_places(path, arrows, part, at).values()), "traces": where} for at in steps
        ]
        add_playback(figure, frames, chosen, active=steps.index(here), redraw=False, slowly=True)
    bottom = figure.layout.margin.b or 54
    heading = title or f"Inside {path.label}, {race.title}"
    sentences = _sentences(path, arrows)
    if not animated:
        sentences.insert(0, f"Step {here:,}.")
    head(figure, chosen, heading, sentences, room=legend_room(listed_names(figure)))
    figure.update_layout(
        showlegend=True,
        legend=LEGEND_ABOVE,
        xaxis={"title": {"text": "x₀"}, "range": list(part[0]), "showgrid": False, "constrain": "domain"},
        # One unit is as long along both axes: else no gradient would stand upright on its contour line.
        yaxis={
            "title": {"text": "x₁"},
            "range": list(part[1]),
            "showgrid": False,
            "scaleanchor": "x",
            "constrain": "domain",
        },
        hovermode="closest",
        margin={"b": bottom},
    )
    return figure


def _in_proportion(area: Area) -> Area:
    """The area made as wide, or as high, as the axes of a common figure are."""
    (left, right), (bottom, top) = area
    wide, high = max(right - left, _ASPECT * (top - bottom)), max(top - bottom, (right - left) / _ASPECT)
    across, up = (left + right) / 2, (bottom + top) / 2
    return (across - wide / 2, across + wide / 2), (up - high / 2, up + high / 2)


def _path_of(race: Race, optimizer: str | None) -> Path:
    if race.problem.dimension != 2:
        raise ArgumentError(
            f"Arrows and ellipses need a problem of two coordinates; {race.problem.name} has {race.problem.dimension}. "
            'Draw the view "curves" instead.'
        )
    labels = [entry.label for entry in race.entries]
    if optimizer is not None:
        if optimizer not in labels:
            raise UnknownName.among(optimizer, labels, kind="optimizer of this race")
        return race.paths_of(optimizer)[0]
    paths = [race.paths_of(label)[0] for label in labels]
    return next((path for path in paths if path.internals), paths[0])


def _arrows(path: Path) -> list[_Arrow]:
    with np.errstate(all="ignore"):
        steps = np.vstack([np.diff(path.points, axis=0), np.full((1, path.points.shape[1]), np.nan)])
        arrows = [_Arrow(name="−gradient", vectors=-path.gradients, group="gradient")]
        if "momentum" in path.internals:
            arrows.append(_Arrow(name="−momentum", vectors=-path.internals["momentum"], group="gradient"))
        if "velocity" in path.internals:
            arrows.append(_Arrow(name="velocity", vectors=path.internals["velocity"], group="step"))
    return [*arrows, _Arrow(name="next step", vectors=steps, group="step")]


def _telling_step(path: Path, arrows: list[_Arrow], last: int) -> int:
    """The step of the first half at which momentum points away from −gradient most; a tenth of the way without one."""
    carried = next((arrow for arrow in arrows if arrow.name in ("−momentum", "velocity")), None)
    half = max(1, last // 2)
    if carried is None or last < 2:
        return min(last, max(1, last // 10)) if last else 0
    with np.errstate(all="ignore"):
        force = -path.gradients[1 : half + 1]
        vectors = carried.vectors[1 : half + 1]
        cosine = (force * vectors).sum(-1) / (np.linalg.norm(force, axis=-1) * np.linalg.norm(vectors, axis=-1))
    return int(np.nan_to_num(cosine, nan=1.0).argmin()) + 1


def _traces(path: Path, arrows: list[_Arrow], area: Area, here: int, last: int, colour: str, theme: Theme) -> list[Any]:
    """The parts that move, as they are at step `here`."""
    looks: dict[str, dict[str, Any]] = {
        "trail": {
            "mode": "lines+markers",
            "name": path.label,
            "line": {"color": colour, "width": 1.5},
            "marker": {"size": 4, "color": colour},
            "text": _texts(path, last),
            "hovertemplate": "%{text}<extra></extra>",
        },
        "ellipse": {
            "mode": "lines",
            "name": "effective rates",
            "line": {"color": colour, "width": 1},
            "fill": "toself",
            "fillcolor": translucent(colour, 0.22),
        },
        "−gradient": {"mode": "lines", "name": "−gradient", "line": {"color": theme.text, "width": 2}},
        "−momentum": {"mode": "lines", "name": "−momentum", "line": {"color": colour, "width": 3}},
        "velocity": {"mode": "lines", "name": "velocity", "line": {"color": colour, "width": 3}},
        "next step": {"mode": "lines", "name": "next step", "line": {"color": theme.text, "width": 1.5, "dash": "dot"}},
        "look-ahead": {
            "mode": "markers",
            "name": "look-ahead",
            "marker": {"symbol": "diamond-open", "size": 11, "color": theme.text, "line": {"width": 2}},
        },
        "head": {
            "mode": "markers",
            "showlegend": False,
            "marker": {"size": 10, "color": colour, "line": {"width": 2, "color": theme.background}},
        },
    }
    return [
        go.Scatter(**place, **{"hoverinfo": "skip", **looks[name]})
        for name, place in _places(path, arrows, area, here).items()
    ]


def _places(path: Path, arrows: list[_Arrow], area: Area, at: int) -> dict[str, dict[str, Any]]:
    """Where everything that moves is at step `at`, in drawing order."""
    here = path.points[at].astype(np.float64)
    places: dict[str, dict[str, Any]] = {"trail": packed(path.points[: at + 1])}
    if "second_moment" in path.internals:
        places["ellipse"] = packed(_ellipse(here, path.effective_rates[at], area))
    for arrow in arrows:
        rivals = [other.vectors[at] for other in arrows if other.group == arrow.group]
        places[arrow.name] = packed(_drawn_arrow(here, arrow.vectors[at], rivals, area))
    if path.probes is not None:
        places["look-ahead"] = packed(path.probes[at : at + 1])
    places["head"] = packed(here[None])
    return {name: {"type": "scatter", **place} for name, place in places.items()}


def _drawn_arrow(
    here: Float[np.ndarray, "2"], vector: Float[np.ndarray, "2"], rivals: list[Float[np.ndarray, "2"]], area: Area
) -> Float[np.ndarray, "5 2"]:
    """Shaft and two barbs in one stroke; NaN where there is nothing to show."""
    span = np.array([high - low for low, high in area])
    with np.errstate(all="ignore"):
        longest = max(
            (float(np.linalg.norm(rival / span)) for rival in rivals if np.isfinite(rival).all()), default=0.0
        )
    if not np.isfinite(vector).all() or not 0 < longest < math.inf:
        return np.full((5, 2), np.nan)
    shaft = vector / span / longest * _ARROW
    length = float(np.linalg.norm(shaft))
    if length < 1e-3:
        return np.full((5, 2), np.nan)
    back = -shaft / length * min(0.02, 0.4 * length)
    turned = np.array([-back[1], back[0]])
    tip = here + shaft * span
    barbs = [tip + (back + side * 0.5 * turned) * span for side in (1.0, -1.0)]
    return np.array([here, tip, barbs[0], tip, barbs[1]])


def _ellipse(here: Float[np.ndarray, "2"], rates: Float[np.ndarray, "2"], area: Area) -> Float[np.ndarray, "corners 2"]:
    """Half axes in proportion to the rates."""
    largest = float(np.max(rates)) if np.isfinite(rates).all() else math.nan
    if not 0 < largest < math.inf:
        return np.full((_CORNERS, 2), np.nan)
    angles = np.linspace(0.0, 2 * math.pi, _CORNERS)
    reach = _ELLIPSE * min(high - low for low, high in area)
    return np.asarray(here + reach * (rates / largest) * np.column_stack([np.cos(angles), np.sin(angles)]))


def _texts(path: Path, last: int) -> list[str]:
    """Everything that is known of each step, by name."""
    texts = []
    for row in range(last + 1):
        lines = [
            f"<b>{path.label}</b>, step {row:,}",
            f"at ({_numbers(path.points[row])})",
            f"loss {path.losses[row]:.5g}",
            f"gradient ({_numbers(path.gradients[row])})",
            f"effective rate ({_numbers(path.effective_rates[row])})",
            *(f"{name.replace('_', ' ')} ({_numbers(values[row])})" for name, values in path.internals.items()),
        ]
        texts.append("<br>".join(lines))
    return texts


def _numbers(values: Float[np.ndarray, " n"]) -> str:
    return ", ".join(f"{value:.4g}" for value in np.ravel(values)[:4])


def _sentences(path: Path, arrows: list[_Arrow]) -> list[str]:
    sentences = ["Arrows: the longer of a pair is always drawn alike, so compare directions and proportions."]
    if "second_moment" in path.internals:
        sentences.append("The ellipse is wide where the effective learning rate is large.")
    others = [
        name.replace("_", " ") for name in path.internals if name not in ("momentum", "velocity", "second_moment")
    ]
    if others:
        sentences.append(f"Hover for {', '.join(others)}.")
    if not path.internals:
        sentences.append(f"{path.label} carries no state from step to step.")
    if path.diverged_at is not None:
        sentences.append(f"It diverges at step {path.diverged_at:,}.")
    return sentences
