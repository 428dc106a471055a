"""What a schedule gives at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import plotly.graph_objects as go

from optiscope.call_syntax import spell_call
from optiscope.errors import ArgumentError
from optiscope.figures.colours import assign_colours
from optiscope.figures.decimation import decimate
from optiscope.figures.panel import LEGEND_ABOVE, head, legend_room, listed_names
from optiscope.figures.scale import choose_scale
from optiscope.figures.theme import theme_named
from optiscope.optimizers.schedules.registry import values
from optiscope.optimizers.schedules.schedule import Schedule

_USUAL = 100
"""Steps that a schedule without a length of its own is drawn over."""
_LONGEST = 1_000_000
_STAIRS = 1000
_COUNTS = ("steps", "every", "up", "down", "warm_up", "stable", "decay")
"""Settings that count steps."""


def schedule_preview(
    schedule: Schedule | Sequence[Schedule],
    *,
    steps: int | None = None,
    scale: str = "linear",
    title: str | None = None,
    theme: str = "light",
) -> go.Figure:
    """The number at each step, a line a schedule.

    Args:
        schedule: one schedule or several.
        steps: how many steps to draw; by default a little more than what the schedules' own settings speak of.
        scale: "auto", "linear", "log" or "symlog" of the numbers.
        title: in place of the standard one.
        theme: "light" or "dark".

    Raises:
        ArgumentError: no schedule, or no positive number of steps.
        UnknownName: no such scale or theme.
    """
    chosen = theme_named(theme)
    several = (schedule,) if isinstance(schedule, Schedule) else tuple(schedule)
    if not several:
        raise ArgumentError("A preview needs at least one schedule. Received none.")
    count = max(map(length_of, several)) if steps is None else steps
    if not 0 < count <= _LONGEST:
        raise ArgumentError(f"steps is a whole number from 1 to {_LONGEST:,}. Received: {steps!r}.")
    names = _names(several)
    strokes = assign_colours(names, chosen)
    columns = [values(one, count) for one in several]
    axis = choose_scale(scale, columns)
    # Between two steps nothing happens; with few of them that shows.
    shape = "hv" if count <= _STAIRS else "linear"
    figure = go.Figure()
    for name, column in zip(names, columns, strict=True):
        rows = decimate(column).rows
        figure.add_scatter(
            x=rows,
            y=axis.positions(column[rows]),
            customdata=column[rows],
            mode="lines" if count > 1 else "markers",
            name=name,
            line={"color": strokes[name].colour, "width": 2, "dash": strokes[name].dash, "shape": shape},
            hovertemplate=f"{name}<br>step %{{x:,d}}: %{{customdata:.6g}}<extra></extra>",
        )
    alone = len(several) == 1
    heading = several[0].title if alone else f"{len(several)} schedules"
    sentences = [f"{several[0].formula}."] if alone and several[0].formula else []
    head(figure, chosen, title or heading, sentences, room=0 if alone else legend_room(listed_names(figure)))
    figure.update_layout(
        showlegend=not alone,
        legend=LEGEND_ABOVE,
        xaxis={"title": {"text": "step"}, "exponentformat": "none", "separatethousands": True},
        yaxis={"title": {"text": "value" + axis.suffix}, **axis.axis()},
    )
    if axis.name == "linear" and all((column >= 0).all() for column in columns):
        figure.update_yaxes(rangemode="tozero")
    return figure


def length_of(schedule: Schedule) -> int:
    """Steps after which a schedule has shown what it does, and a tenth more."""
    spoken = _spoken_of(schedule)
    return min(_LONGEST, round(1.1 * spoken)) if spoken else _USUAL


def _spoken_of(schedule: Schedule) -> int:
    """The number of steps that its settings speak of; 0 if they speak of none."""
    settings = schedule.settings
    counts = {name: number for name, number in settings.items() if name in _COUNTS and isinstance(number, int)}
    parts = [part for value in settings.values() for part in (value if isinstance(value, tuple) else (value,))]
    inner = max((_spoken_of(part) for part in parts if isinstance(part, Schedule)), default=0)
    marks = [mark for name in ("milestones", "at") for mark in settings.get(name, ()) if isinstance(mark, int)]
    if marks:
        return max(marks) + max(inner, max(marks) // 2)
    match schedule.name:
        case "step":
            return 5 * counts["every"]
        case "cyclic":
            return 3 * (counts["up"] + counts.get("down", counts["up"]))
        case "cosine_restarts":
            factor = int(settings["factor"])
            return (1 + factor + factor * factor) * counts["steps"]
        case "inverse_square_root" | "exponential":
            return 6 * counts["steps"] if counts["steps"] > 1 else 0
    return sum(counts.values()) + inner


def _told(schedule: Schedule) -> dict[str, object]:
    """The settings that are not left at their defaults."""
    defaults = {field.name: field.default for field in fields(schedule)}  # type: ignore[arg-type]
    return {name: value for name, value in schedule.settings.items() if value != defaults.get(name)}


def _names(several: Sequence[Schedule]) -> list[str]:
    names = [spell_call(one.name, _told(one)) for one in several]
    return [name if names.count(name) == 1 else f"{name} #{index + 1}" for index, name in enumerate(names)]
