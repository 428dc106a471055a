"""Loss, gradient norm, distance to the minimum and effective learning rate of a race, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int64

from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours, Stroke
from optiscope.figures.decimation import decimate
from optiscope.figures.panel import LEGEND_ABOVE, ROW, Panel, head, legend_room, listed_names, place
from optiscope.figures.race_cast import OTHERS, crowd_sentence, extras_name, legend_label, principals, strokes_of
from optiscope.figures.race_paths import divergences
from optiscope.figures.scale import AxisScale, choose_scale
from optiscope.figures.theme import Theme, theme_named, translucent

_LIMIT = 500
"""Points of a line at most."""
_TALL = 1e4
"""Times the largest value of the finite paths at which those that diverge are cut off on a logarithmic axis."""
_SMALL = 1e-12
"""Share of the largest value below which all is drawn alike: at 1e-28 the same has arrived as at 1e-14."""
_NEGATIVE_DECADES = 4
"""Decades below the largest value that an axis with negative values shows."""
_BANDS = 3
"""Optimizers whose bands can be told apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """One optimizer in one panel."""

    label: str
    middle: Float[np.ndarray, " rows"]
    """The value, or the median over the paths."""
    low: Float[np.ndarray, " rows"] | None
    """Smallest and largest over the paths; None for one path."""
    high: Float[np.ndarray, " rows"] | None
    lost: int | None
    """Row of the first divergence."""


def race_curves(
    race: Race,
    *,
    scale: str = "auto",
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """Four panels over the steps, a line an optimizer: loss, gradient norm, distance to the nearest minimum, rate.

    Of several paths of an optimizer (starts, seeds) the line is the median and the band goes from the smallest to the
    largest. A path that diverges ends at a cross.

    Args:
        race: the race.
        scale: "auto", "linear", "log" or "symlog" of the values; "auto" is logarithmic where they are positive and
            span two decades.
        title: in place of that of the race.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        UnknownName: no such scale or theme.
    """
    chosen = theme_named(theme)
    strokes = strokes_of(race, chosen, colours)
    panels = race_panels(race, chosen, strokes, scale=scale)
    figure = go.Figure()
    rows = -(-len(panels) // 2)
    for index, panel in enumerate(panels):
        row, column = divmod(index, 2)
        height = (1.0 - 0.17 * (rows - 1)) / rows
        top = 1.0 - row * (height + 0.17)
        place(
            figure,
            panel,
            chosen,
            number=index + 1,
            x=(0.0, 0.44) if column == 0 else (0.56, 1.0),
            y=(top - height, top),
            heading=True,
            legend=index == 0,
        )
    notes = list(dict.fromkeys(note for panel in panels for note in panel.notes))
    if len(race.paths) > len(race.entries):
        bands = ", bands go from the smallest to the largest" if len(race.entries) <= _BANDS else ""
        notes.insert(0, f"Lines are medians over the paths{bands}.")
    legend = legend_room(listed_names(figure))
    head(figure, chosen, title or race.title, [*notes, *crowd_sentence(race), *divergences(race)], room=legend + ROW)
    figure.update_layout(
        showlegend=True, legend={**LEGEND_ABOVE, "y": 1.06}, height=330 * rows + 40 + legend, hovermode="closest"
    )
    return figure


def race_panels(race: Race, theme: Theme, strokes: dict[str, Stroke], *, scale: str) -> list[Panel]:
    """The panels, as parts of a figure: the distance only where a minimum is known."""
    known = np.isfinite(race.problem.minimum)
    subtract = race.problem.minimum if known else 0.0
    loss_title = "Loss above the minimum" if known and subtract != 0 else "Loss"
    panels = [
        _panel(race, loss_title, [_loss(path, subtract) for path in race.paths], theme, strokes, scale, "loss"),
        _panel(race, "Gradient norm", [_norm(path.gradients) for path in race.paths], theme, strokes, scale, "‖∇f‖"),
    ]
    minima = targets(race)
    if len(minima):
        nearest = [_distance(path.points, minima) for path in race.paths]
        panels.append(_panel(race, "Distance to the nearest minimum", nearest, theme, strokes, scale, "distance"))
    rates = [_middle(path.effective_rates) for path in race.paths]
    panels.append(_panel(race, "Effective learning rate", rates, theme, strokes, scale, "rate"))
    note = "Effective learning rate: the factor before the (smoothed) gradient, α for momentum"
    if race.problem.dimension > 1:
        note += ", geometric mean over the coordinates"
    panels[-1] = replace(panels[-1], notes=(*panels[-1].notes, f"{note}."))
    return panels


def targets(race: Race) -> Float[np.ndarray, "minima parameters"]:
    """The minima that distances are taken to: the global ones, and local ones where no global one is known."""
    if len(race.problem.minima):
        return race.problem.minima
    found = [point.point for point in race.critical_points if point.kind == "minimum"]
    return np.array(found).reshape(-1, race.problem.dimension)


def _loss(path: Path, minimum: float) -> Float[np.ndarray, " rows"]:
    with np.errstate(all="ignore"):
        return path.losses - minimum


def _norm(vectors: Float[np.ndarray, "rows parameters"]) -> Float[np.ndarray, " rows"]:
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.norm(vectors, axis=-1))


def _distance(
    points: Float[np.ndarray, "rows parameters"], minima: Float[np.ndarray, "minima parameters"]
) -> Float[np.ndarray, " rows"]:
    with np.errstate(all="ignore"):
        squares = ((points[:, None, :] - minima) ** 2).sum(axis=-1)
        return np.asarray(np.sqrt(squares.min(axis=1)))


def _middle(rates: Float[np.ndarray, "rows parameters"]) -> Float[np.ndarray, " rows"]:
    """Geometric mean over the coordinates; NaN where one has no positive rate."""
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(np.log(rates).mean(axis=-1)))


def _panel(
    race: Race,
    title: str,
    values: Sequence[Float[np.ndarray, " rows"]],
    theme: Theme,
    strokes: dict[str, Stroke],
    scale: str,
    axis_title: str,
) -> Panel:
    lines = [_line(race, entry.label, values) for entry in race.entries]
    staying = _staying(race, values)
    axis = _axis(scale, staying, lines)
    limits, floored = _limits(staying, axis, lines)
    main = set(principals(race))
    crowd = [line for line in lines if line.label not in main]
    traces: list[Any] = _crowd(race, crowd, strokes[crowd[0].label], axis, limits) if crowd else []
    for line in (one for one in lines if one.label in main):
        traces += _traces(race, line, strokes[line.label], axis, limits)
    crosses = [_cross(line, limits) for line in lines if line.lost is not None]
    if crosses:
        places = np.array(crosses)
        traces.append(
            go.Scatter(
                x=places[:, 0],
                y=axis.positions(places[:, 1]),
                text=[f"{line.label} diverges at step {line.lost:,}" for line in lines if line.lost is not None],
                mode="markers",
                name="diverges",
                legendrank=2000,
                marker={
                    "symbol": "x",
                    "size": 9,
                    "color": theme.not_finite,
                    "line": {"width": 1, "color": theme.background},
                },
                hovertemplate="%{text}<extra></extra>",
            )
        )
    message = "" if any(np.isfinite(line.middle).any() for line in lines) else "No value is finite."
    return Panel(
        title=title,
        traces=traces,
        x={"title": {"text": "step"}, "exponentformat": "none", "separatethousands": True, "range": [0, race.steps]},
        y={"title": {"text": axis_title + axis.suffix}, **axis.axis()},
        message=message,
        notes=("What is below a trillionth of its start is drawn there.",) if floored else (),
    )


def _line(race: Race, label: str, values: Sequence[Float[np.ndarray, " rows"]]) -> _Line:
    own = [(path, one) for path, one in zip(race.paths, values, strict=True) if path.optimizer == label]
    lost = [path.diverged_at for path, _ in own if path.diverged_at is not None]
    columns = np.array([_cut(one, path.diverged_at) for path, one in own])
    if len(columns) == 1:
        return _Line(label=label, middle=columns[0], low=None, high=None, lost=lost[0] if lost else None)
    # A path that has diverged counts as worse than any other: the median goes to infinity when half of them have.
    worst = np.where(np.isnan(columns), np.inf, columns)
    rateless = np.isnan(columns).all(axis=0)
    middle = np.where(rateless, np.nan, np.median(worst, axis=0))
    return _Line(
        label=label,
        middle=np.where(np.isfinite(middle), middle, np.nan),
        low=np.where(rateless, np.nan, worst.min(axis=0)),
        high=np.where(rateless, np.nan, worst.max(axis=0)),
        lost=min(lost) if len(lost) * 2 >= len(own) else None,
    )


def _cut(values: Float[np.ndarray, " rows"], diverged_at: int | None) -> Float[np.ndarray, " rows"]:
    if diverged_at is None:
        return values
    return np.where(np.arange(len(values)) < diverged_at, values, np.nan)


def _staying(race: Race, values: Sequence[Float[np.ndarray, " rows"]]) -> Float[np.ndarray, " values"]:
    """The finite values of the paths that do not diverge, or the first ones where all do."""
    kept = [one for path, one in zip(race.paths, values, strict=True) if path.diverged_at is None]
    seen = np.concatenate(kept or [one[:3] for one in values])
    return np.asarray(seen[np.isfinite(seen)])


def _axis(scale: str, staying: Float[np.ndarray, " values"], lines: Sequence[_Line]) -> AxisScale:
    """As `choose_scale`, but symmetric-logarithmic where values of a path that diverges are negative.

    And logarithmic for those who have arrived at zero: they stand at the bottom.
    """
    axis = choose_scale(scale, [staying])
    if scale != "auto":
        return axis
    positive = staying[staying > 0]
    if axis.name != "log" and len(positive) and staying.min() >= 0:
        axis = choose_scale(scale, [positive])
    if axis.name != "log":
        return axis
    with np.errstate(invalid="ignore"):
        negative = any(bool((line.middle < 0).any()) for line in lines)
    if not negative:
        return axis
    largest = float(staying.max())
    exponent = math.floor(math.log10(largest)) - _NEGATIVE_DECADES
    return AxisScale(name="symlog", threshold=10.0**exponent, largest=_TALL * largest)


def _limits(
    staying: Float[np.ndarray, " values"], axis: AxisScale, lines: Sequence[_Line]
) -> tuple[tuple[float, float], bool]:
    """What is drawn, and whether small values are moved up to its floor.

    One path on its way to infinity would press all others flat, and so would one that reaches zero.
    """
    if not len(staying):
        return (-np.inf, np.inf), False
    low, high = float(staying.min()), float(staying.max())
    if axis.name == "log":
        first = [float(line.middle[0]) for line in lines if np.isfinite(line.middle[0]) and line.middle[0] > 0]
        floor = _SMALL * 10.0 ** math.floor(math.log10(max(first))) if first else 0.0
        below = bool((staying < floor).any())
        return (floor if below else 0.0, _TALL * high), below
    if axis.name == "symlog":
        return (min(-_TALL * high, low), _TALL * high), False
    span = max(high - low, 0.1 * abs(high), 1e-12)
    return (low - 0.5 * span, high + 0.5 * span), False


def _cross(line: _Line, limits: tuple[float, float]) -> tuple[float, float]:
    """The step of the divergence, and the last value before it as far as the axis goes."""
    assert line.lost is not None
    drawn = np.flatnonzero(np.isfinite(line.middle[: line.lost + 1]))
    value = float(line.middle[drawn[-1]]) if len(drawn) else limits[1]
    return float(line.lost), float(np.clip(value, *limits))


def _within(values: Float[np.ndarray, " rows"], limits: tuple[float, float]) -> Float[np.ndarray, " rows"]:
    """What is outside is a gap; on a logarithmic axis with a floor, what is below stands on it."""
    with np.errstate(invalid="ignore"):
        raised = np.maximum(values, limits[0]) if limits[0] > 0 else values
        return np.where((raised >= limits[0]) & (raised <= limits[1]), raised, np.nan)


def _traces(race: Race, line: _Line, stroke: Stroke, axis: AxisScale, limits: tuple[float, float]) -> list[Any]:
    middle = _within(line.middle, limits)
    if axis.name == "log":
        middle = np.where(middle > 0, middle, np.nan)
    rows = decimate(middle, _LIMIT).rows
    traces: list[Any] = []
    if line.low is not None and line.high is not None and len(race.entries) <= _BANDS:
        traces += _band(line, (line.low[rows], line.high[rows]), rows, stroke, axis, limits)
    traces.append(
        go.Scatter(
            x=rows,
            y=axis.positions(middle[rows]),
            customdata=line.middle[rows],
            mode="lines",
            name=legend_label(race, line.label),
            legendgroup=line.label,
            line={"color": stroke.colour, "width": 2, "dash": stroke.dash},
            hovertemplate=f"<b>{line.label}</b>, step %{{x:,d}}<br>%{{customdata:.5g}}<extra></extra>",
        )
    )
    return traces


def _crowd(
    race: Race, lines: Sequence[_Line], stroke: Stroke, axis: AxisScale, limits: tuple[float, float]
) -> list[Any]:
    """The optimizers that have no colour, in one trace with gaps."""
    columns: list[tuple[Any, Any, list[str]]] = []
    for line in lines:
        middle = _within(line.middle, limits)
        if axis.name == "log":
            middle = np.where(middle > 0, middle, np.nan)
        rows = decimate(middle, _LIMIT // 2).rows
        columns.append((np.append(rows, -1), np.append(middle[rows], np.nan), [line.label] * (len(rows) + 1)))
    if not columns:
        return []
    return [
        go.Scatter(
            x=np.concatenate([one[0] for one in columns]),
            y=axis.positions(np.concatenate([one[1] for one in columns])),
            text=[label for one in columns for label in one[2]],
            mode="lines",
            name=extras_name(race),
            legendgroup=OTHERS,
            legendrank=1999,
            line={"color": stroke.colour, "width": 1},
            hovertemplate="%{text}, step %{x:,d}<extra></extra>",
        )
    ]


def _band(
    line: _Line,
    ends: tuple[Float[np.ndarray, " drawn"], Float[np.ndarray, " drawn"]],
    rows: Int64[np.ndarray, " drawn"],
    stroke: Stroke,
    axis: AxisScale,
    limits: tuple[float, float],
) -> list[Any]:
    low, high = ends
    bottom, top = limits
    shown = np.isfinite(low) & (low <= top)
    if not shown.any():
        return []
    low, high = low[shown], np.minimum(high[shown], top)
    if axis.name == "log":
        positive = low[low > 0]
        low = np.maximum(low, max(bottom, float(positive.min())) if len(positive) else np.nan)
    return [
        go.Scatter(
            x=np.concatenate([rows[shown], rows[shown][::-1]]),
            y=axis.positions(np.concatenate([low, high[::-1]])),
            mode="lines",
            line={"width": 0, "color": stroke.colour},
            fill="toself",
            fillcolor=translucent(stroke.colour, 0.13),
            legendgroup=line.label,
            showlegend=False,
            hoverinfo="skip",
        )
    ]
