"""A race on mini-batches: the loss of each batch as it is met, and its mean over each epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours
from optiscope.figures.panel import LEGEND_ABOVE, ROW, Panel, head, place
from optiscope.figures.race_cast import legend_label, strokes_of
from optiscope.figures.theme import theme_named
from optiscope.problems.functions.mini_batches import MiniBatchFunction


def race_fit(
    race: Race, *, title: str | None = None, colours: Colours | None = None, theme: str = "light"
) -> go.Figure:
    """Two panels, a line a path: the loss over the mini-batch of each iteration, and its mean over each epoch.

    An iteration's loss is that before its update, which is what a training loop prints. The mean of an epoch is over
    the iterations of that epoch alone.

    Args:
        race: a race on a problem with mini-batches.
        title: in place of that of the race.
        colours: colours by optimizer, to agree with other figures.
        theme: "light" or "dark".

    Raises `ArgumentError` for a problem without mini-batches.
    """
    problem = race.problem
    if not isinstance(problem, MiniBatchFunction):
        raise ArgumentError(f"Only a problem with mini-batches has losses of batches. Received: {problem.name!r}.")
    chosen = theme_named(theme)
    strokes = strokes_of(race, chosen, colours)
    iterations: list[Any] = []
    epochs: list[Any] = []
    for path in race.paths:
        losses = batch_losses(problem, path)
        means = epoch_means(losses, problem.batches)
        stroke = strokes[path.optimizer]
        first = path is race.paths_of(path.optimizer)[0]
        line = {
            "mode": "lines",
            "name": legend_label(race, path.optimizer),
            "legendgroup": path.optimizer,
            "showlegend": first,
        }
        iterations.append(
            go.Scatter(
                x=np.arange(1, len(losses) + 1),
                y=losses,
                line={"color": stroke.colour, "width": 1, "dash": stroke.dash},
                hovertemplate=f"<b>{path.optimizer}</b>, iteration %{{x:,d}}<br>%{{y:.5g}}<extra></extra>",
                **line,
            )
        )
        epochs.append(
            go.Scatter(
                x=np.arange(1, len(means) + 1),
                y=means,
                line={"color": stroke.colour, "width": 2, "dash": stroke.dash},
                hovertemplate=f"<b>{path.optimizer}</b>, epoch %{{x:,d}}<br>%{{y:.5g}}<extra></extra>",
                **line,
            )
        )
    loss = {"type": "log", "exponentformat": "power", "dtick": 1}
    figure = go.Figure()
    count = {"exponentformat": "none", "separatethousands": True}
    left = Panel(
        title="Loss per iteration",
        traces=iterations,
        x={"title": {"text": "iteration"}, **count},
        y={"title": {"text": "loss of the mini-batch"}, **loss},
    )
    right = Panel(
        title="Mean loss per epoch",
        traces=epochs,
        x={"title": {"text": "epoch"}, **count},
        y={"title": {"text": "mean loss of the epoch"}, **loss},
    )
    place(figure, left, chosen, number=1, x=(0.0, 0.44), heading=True)
    place(figure, right, chosen, number=2, x=(0.56, 1.0), heading=True, legend=False)
    sentence = f"{problem.batches} mini-batches an epoch; loss before each update; logarithmic."
    head(figure, chosen, title or race.title, [sentence], room=2 * ROW)
    figure.update_layout(showlegend=True, legend={**LEGEND_ABOVE, "y": 1.08}, height=420)
    return figure


def batch_losses(problem: MiniBatchFunction, path: Path) -> Float[np.ndarray, " steps"]:
    """The loss of the mini-batch of each step, at the point before it."""
    with np.errstate(all="ignore"):
        return np.array(
            [float(problem.batch_value(path.points[step], step=step, seed=path.seed)) for step in range(path.steps)]
        )


def epoch_means(losses: Float[np.ndarray, " steps"], batches: int) -> Float[np.ndarray, " epochs"]:
    """The mean over each epoch's own iterations; the last epoch may be short."""
    starts = np.arange(0, len(losses), batches)
    counts = np.diff(np.append(starts, len(losses)))
    means: Float[np.ndarray, " epochs"] = np.add.reduceat(losses, starts) / counts
    return means
