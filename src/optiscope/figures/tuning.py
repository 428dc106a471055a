"""How good each optimizer was in each trial of its tuning, against the learning rate: the U-curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int64

from optiscope.errors import ArgumentError
from optiscope.experiments.race.result import Entry, Race, Tuning
from optiscope.figures.colours import Colours, Stroke
from optiscope.figures.panel import LEGEND_ABOVE, head, legend_room, listed_names
from optiscope.figures.race_cast import OTHERS, crowd_sentence, extras, extras_name, short_label, strokes_of
from optiscope.figures.scale import AxisScale, choose_scale
from optiscope.figures.theme import Theme, theme_named, translucent

_BINS = 12
"""Stretches of the learning rate whose best trials make the line."""


def tuning(
    race: Race,
    *,
    setting: str = "learning_rate",
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """The score of each trial against a setting, and a star for the best.

    The line joins the trials that vary the learning rate alone; over another setting, the best trial of each stretch.
    A wide and flat bottom means that the optimizer forgives a setting that is off.

    Args:
        race: a race with tuning.
        setting: which of the tuned settings.
        title: in place of the standard one.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        ArgumentError: nothing was tuned, or no optimizer was tuned in that setting.
    """
    chosen = theme_named(theme)
    tuned = [(entry, entry.tuning) for entry in race.entries if entry.tuning is not None]
    if not tuned:
        raise ArgumentError("Nothing was tuned in this race; give race(..., tune=60) to try 60 settings of each.")
    shown = [(entry, found) for entry, found in tuned if _column(found, setting) is not None]
    if not shown:
        known = sorted({name for _, found in tuned for name in found.settings})
        raise ArgumentError(
            f"No optimizer was tuned in that setting, only in {', '.join(known)}. Received: {setting!r}."
        )
    strokes = strokes_of(race, chosen, colours)
    axis = _scale(np.concatenate([found.scores for _, found in shown]))
    finite = np.concatenate([found.scores[np.isfinite(found.scores)] for _, found in shown])
    top = 1.3 * float(finite.max()) if len(finite) else 1.0
    figure = go.Figure()
    for entry, found in shown:
        figure.add_traces(_traces(race, entry, found, setting, strokes[entry.label], axis, top, chosen))
    if any(_lost(found).any() for _, found in shown):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name="diverges",
            legendrank=2000,
            marker={"symbol": "x", "size": 7, "color": chosen.muted},
        )
    sentences = [
        f"{race.trials} trials each; a star marks the settings that the race was run with.",
        "Score: the share of the loss's decrease that is missing at the end, 0 for the best of all trials.",
    ]
    if setting == "learning_rate" and any(found.sweep > 2 for _, found in shown):
        sentences.append("Lines: the learning rate alone varies.")
    sentences += crowd_sentence(race)
    head(figure, chosen, title or f"Tuning, {race.title}", sentences, room=legend_room(listed_names(figure)))
    log = setting_is_wide(np.concatenate([_values(found, setting) for _, found in shown]))
    figure.update_layout(
        showlegend=True,
        legend=LEGEND_ABOVE,
        xaxis={
            "title": {"text": setting.replace("_", " ") + (" (log scale)" if log else "")},
            "type": "log" if log else "linear",
        },
        yaxis={"title": {"text": "score" + axis.suffix}, **axis.axis()},
        hovermode="closest",
    )
    return figure


def _column(found: Tuning, setting: str) -> Float[np.ndarray, " trials"] | None:
    """The values of a setting; the optimizers of PyTorch call the learning rate "lr"."""
    return found.settings.get(setting, found.settings.get("lr") if setting == "learning_rate" else None)


def _values(found: Tuning, setting: str) -> Float[np.ndarray, " trials"]:
    values = _column(found, setting)
    assert values is not None
    return values


def _lost(found: Tuning) -> Bool[np.ndarray, " trials"]:
    """Trials that diverge from at least one start."""
    return np.asarray(~np.isfinite(found.losses).all(axis=-1) | ~np.isfinite(found.scores))


def _scale(scores: Float[np.ndarray, " trials"]) -> AxisScale:
    """Logarithmic where the scores span much, and nearly linear below the small ones: the best score is zero."""
    axis = choose_scale("auto", [scores])
    return choose_scale("symlog", [scores]) if axis.name == "log" and bool((scores == 0).any()) else axis


def setting_is_wide(values: Float[np.ndarray, " n"]) -> bool:
    """Whether a setting was looked for on a logarithmic scale: half of its values are far below the largest."""
    return bool((values > 0).all() and values.max() >= 10 * float(np.median(values)))


def _traces(
    race: Race, entry: Entry, found: Tuning, setting: str, stroke: Stroke, axis: AxisScale, top: float, theme: Theme
) -> list[Any]:
    x, lost = _values(found, setting), _lost(found)
    scores = np.minimum(np.where(np.isfinite(found.scores), found.scores, top), top)
    heights = axis.positions(scores)
    texts = np.array([_text(entry, found, trial) for trial in range(len(scores))])
    line = _line(found, setting, x, scores)
    marks: dict[str, Any] = {
        "mode": "markers",
        "showlegend": False,
        "legendgroup": entry.label,
        "hovertemplate": "%{text}<extra></extra>",
    }
    behind = entry.label in extras(race)
    traces = [
        go.Scatter(
            x=x[line],
            y=heights[line],
            mode="lines",
            name=extras_name(race) if behind else short_label(race, entry.label),
            legendgroup=OTHERS if behind else entry.label,
            legendrank=1999 if behind else 1000,
            showlegend=not behind or entry.label == extras(race)[0],
            line={"color": stroke.colour, "width": 1 if behind else 2, "dash": stroke.dash},
            hovertemplate=f"{entry.label}<extra></extra>" if behind else None,
            hoverinfo=None if behind else "skip",
        )
    ]
    if behind:
        return traces
    for chosen, symbol, size, opacity in ((~lost, "circle", 5, 0.45), (lost, "x", 6, 0.6)):
        look = {"symbol": symbol, "size": size, "color": translucent(stroke.colour, opacity)}
        traces.append(go.Scatter(x=x[chosen], y=heights[chosen], text=texts[chosen], marker=look, **marks))
    star = {"symbol": "star", "size": 14, "color": stroke.colour, "line": {"width": 1, "color": theme.background}}
    best = slice(found.best, found.best + 1)
    traces.append(
        go.Scatter(x=x[best], y=heights[best], text=[f"<b>best</b><br>{texts[found.best]}"], marker=star, **marks)
    )
    return traces


def _line(
    found: Tuning, setting: str, x: Float[np.ndarray, " trials"], scores: Float[np.ndarray, " trials"]
) -> Int64[np.ndarray, " points"]:
    """The trials to join: those that vary the learning rate alone; of another setting the best of each stretch."""
    if setting == "learning_rate" and found.sweep > 2:
        return np.argsort(x[: found.sweep], kind="stable")
    kept = np.flatnonzero(~_lost(found))
    if not len(kept):
        return kept
    place = np.log(x[kept]) if setting_is_wide(x[kept]) else x[kept]
    span = float(place.max() - place.min()) or 1.0
    bins = np.minimum(((place - place.min()) / span * _BINS).astype(int), _BINS - 1)
    return np.array([kept[bins == one][scores[kept[bins == one]].argmin()] for one in np.unique(bins)])


def _text(entry: Entry, found: Tuning, trial: int) -> str:
    settings = "<br>".join(f"{name} = {values[trial]:.4g}" for name, values in found.settings.items())
    diverging = int((~np.isfinite(found.losses[trial])).sum())
    whole = len(found.losses[trial])
    verdict = f"score {found.scores[trial]:.4g}" + (f", {diverging} of {whole} diverge" if diverging else "")
    return f"<b>{entry.label}</b>, trial {trial}<br>{settings}<br>{verdict}"
