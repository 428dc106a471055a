"""From how many starts each optimizer has reached the target, step by step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from optiscope.errors import ArgumentError
from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours
from optiscope.figures.panel import LEGEND_ABOVE, head, legend_room, listed_names
from optiscope.figures.race_cast import OTHERS, crowd_sentence, extras, extras_name, principals, short_label, strokes_of
from optiscope.figures.theme import theme_named


def reach(race: Race, *, title: str | None = None, colours: Colours | None = None, theme: str = "light") -> go.Figure:
    """The share of the starts of a grid from which the loss is at or below the target by each step.

    Args:
        race: a race with starts spread over the domain and a target.
        title: in place of the standard one.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        ArgumentError: the race has no such starts.
    """
    chosen = theme_named(theme)
    shown = [(entry, entry.reached) for entry in race.entries if entry.reached is not None]
    if not shown or race.target is None:
        raise ArgumentError(
            "This race tells nothing about reaching a target: it needs starts spread over the domain, which "
            "race(..., reach=100) adds, and a problem whose minimum is known or a target=..."
        )
    strokes = strokes_of(race, chosen, colours)
    figure = go.Figure()
    main = principals(race)
    for entry, reached in shown:
        front, stroke = entry.label in main, strokes[entry.label]
        when = np.sort(reached[np.isfinite(reached)])
        share = 100.0 * np.arange(1, len(when) + 1) / len(reached)
        final = float(share[-1]) if len(when) else 0.0
        figure.add_scatter(
            x=np.concatenate([[0.0], when, [float(race.steps)]]),
            y=np.concatenate([[0.0], share, [final]]),
            mode="lines",
            name=f"{short_label(race, entry.label)}, {final:.0f} %" if front else extras_name(race),
            legendgroup=entry.label if front else OTHERS,
            legendrank=1000 if front else 1999,
            showlegend=front or entry.label == extras(race)[0],
            line={"color": stroke.colour, "width": 2 if front else 1, "dash": stroke.dash, "shape": "hv"},
            hovertemplate=f"<b>{entry.label}</b><br>%{{y:.0f}} % by step %{{x:,.0f}}<extra></extra>",
        )
    starts = len(shown[0][1])
    sentences = [
        f"Share of {starts:,} starts from which the loss gets to {race.target:.3g} or below.",
        *crowd_sentence(race),
    ]
    head(
        figure, chosen, title or f"Reaching the target, {race.title}", sentences, room=legend_room(listed_names(figure))
    )
    figure.update_layout(
        showlegend=True,
        legend=LEGEND_ABOVE,
        xaxis={"title": {"text": "step"}, "range": [0, race.steps], "exponentformat": "none"},
        yaxis={"title": {"text": "starts that reached it (%)"}, "range": [-2, 102]},
    )
    return figure
