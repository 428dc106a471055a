"""Which figures a report holds, for one run and for several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from optiscope.analysis.comparison import Comparison
from optiscope.analysis.trajectory import Trajectory, trajectory
from optiscope.errors import ArgumentError, OptiscopeError
from optiscope.figures import plot
from optiscope.figures.colours import Colours
from optiscope.figures.metrics import metric_names
from optiscope.figures.run_colours import run_strokes
from optiscope.figures.theme import theme_named
from optiscope.rendering.html import plain_title
from optiscope.rendering.report.blocks import FigureBlock
from optiscope.rendering.report.lazy_figure import lazy_figure
from optiscope.rendering.report.statements import named
from optiscope.runs import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

Theme = Literal["auto", "light", "dark"]

_LINES = (
    "gradient_norm",
    "raw_gradient_norm",
    "weight_norm",
    "update_norm",
    "update_ratio",
    "update_gradient_cosine",
    "gradient_previous_cosine",
    "distance_from_start",
)
_HEAT_MAPS = ("gradient_norm", "weight_norm", "update_norm", "update_ratio")
_SETTINGS = ("learning_rate", "momentum", "beta1", "beta2", "weight_decay")
_MOST_METRICS = 24


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One figure that is to be drawn."""

    anchor: str
    """Anchor in the page."""
    subject: str
    """What it shows, for the sentence that takes its place when it cannot be drawn."""
    draw: Callable[[Literal["light", "dark"]], go.Figure]
    """Builds the figure in a theme."""
    still: Callable[[Literal["light", "dark"]], go.Figure] | None = None
    """Builds a figure that moves without its movement, which is quicker; None when it does not move."""


def run_drawings(run: Run, prefix: str, *, every: bool, beside: Sequence[Run] = ()) -> Iterator[Drawing]:
    """The figures of one run: `every` one, or the overview, which holds the main ones.

    `beside` are all runs of the page: the run has the colour that it has among them.
    """
    together = tuple(beside) or (run,)
    yield Drawing(anchor=f"{prefix}-overview", subject="overview", draw=_overview(run, together))
    if not every:
        return
    for name in metric_names(run)[:_MOST_METRICS]:
        yield _series(run, prefix, name, together=together)
    for name in _measured(run, _SETTINGS, varying=True):
        yield _series(run, prefix, name)
    for name in _measured(run, _LINES):
        yield _series(run, prefix, name)
        if name.rpartition("/")[2] in _HEAT_MAPS:
            yield _series(run, prefix, name, view="heatmap")
    for kind in run.histogram_names:
        yield Drawing(
            anchor=f"{prefix}-histogram-{anchored(kind)}", subject=f"histogram of {kind}", draw=_histograms(run, kind)
        )
    if len(run.snapshots):
        yield Drawing(anchor=f"{prefix}-path", subject="path of the weights", draw=_path((run,), "pca", together))
        yield Drawing(
            anchor=f"{prefix}-weights", subject="path of two weights", draw=_path((run,), "weights", together)
        )


def comparison_drawings(
    runs: Sequence[Run], comparisons: Sequence[Comparison], measured: Sequence[str]
) -> Iterator[Drawing]:
    """The figures that show several runs together: the comparisons, a line a run for what was `measured`, the paths."""
    for comparison in comparisons:
        yield Drawing(
            anchor=f"comparison-{anchored(comparison.metric)}",
            subject=f"comparison in {comparison.metric}",
            draw=lambda theme, comparison=comparison: plot(comparison, theme=theme),  # type: ignore[misc]
        )
    for name in measured:
        yield Drawing(
            anchor=f"comparison-{anchored(name)}",
            subject=f"{name} of all runs",
            draw=lambda theme, name=name: plot(  # type: ignore[misc]
                [run[name] for run in runs], theme=theme, colours=_colours(runs, theme)
            ),
        )
    if all(len(run.snapshots) for run in runs):
        yield Drawing(anchor="comparison-path", subject="paths of the weights", draw=_path(tuple(runs), "pca", runs))


def draw(drawings: Iterator[Drawing], theme: Theme) -> tuple[FigureBlock, ...]:
    """Draw the figures. One that cannot be drawn is replaced by the reason."""
    return tuple(_draw(drawing, theme) for drawing in drawings)


def _draw(drawing: Drawing, theme: Theme) -> FigureBlock:
    try:
        first = drawing.draw("dark" if theme == "dark" else "light")
        second = (drawing.still or drawing.draw)("dark") if theme == "auto" else None
        if second is not None and len(second.data) != len(first.data):
            # It moves in other parts than it stands in: its frames would not fit.
            second = drawing.draw("dark")
    except OptiscopeError as error:
        return FigureBlock(id=drawing.anchor, note=f"The {drawing.subject} is not drawn. {error}")
    return FigureBlock(id=drawing.anchor, title=plain_title(first), html=lazy_figure(drawing.anchor, first, second))


def _colours(together: Sequence[Run], theme: Literal["light", "dark"]) -> Colours | None:
    """Colours by group where there are several runs; a run by itself has its own."""
    return run_strokes(together, theme_named(theme)) if len(together) > 1 else None


def _overview(run: Run, together: Sequence[Run]) -> Callable[[Literal["light", "dark"]], go.Figure]:
    return lambda theme: plot(run, theme=theme, colours=_colours(together, theme))


def _histograms(run: Run, kind: str) -> Callable[[Literal["light", "dark"]], go.Figure]:
    return lambda theme: plot(run.histograms(kind), theme=theme)


def _path(
    runs: tuple[Run, ...], method: Literal["pca", "weights"], together: Sequence[Run]
) -> Callable[[Literal["light", "dark"]], go.Figure]:
    computed: list[Trajectory] = []

    def build(theme: Literal["light", "dark"]) -> go.Figure:
        if not computed:
            computed.append(trajectory(runs, method=method))
        return plot(computed[0], theme=theme, colours=_colours(together, theme))

    return build


def _series(
    run: Run, prefix: str, name: str, *, view: str | None = None, together: Sequence[Run] | None = None
) -> Drawing:
    """The figure of one series; with `together` a line that has the colour of the run among these."""

    def build(theme: Literal["light", "dark"]) -> go.Figure:
        series = run[name]
        if not len(series):
            raise ArgumentError(f"{name} has no values.")
        if together is not None:
            return plot(series, view=view, theme=theme, colours=_colours(together, theme))
        return plot(series, view=view, theme=theme)

    suffix = f"-{view}" if view else ""
    return Drawing(
        anchor=f"{prefix}-series-{anchored(name)}{suffix}", subject=f"{view or 'curve'} of {name}", draw=build
    )


def _measured(run: Run, quantities: Sequence[str], *, varying: bool = False) -> Iterator[str]:
    """Names of the measured series of these quantities; of settings only the learning rate and what changed."""
    for quantity in quantities:
        for name in named(run, quantity):
            if not varying or quantity == "learning_rate" or _varies(run, name):
                yield name


def _varies(run: Run, name: str) -> bool:
    values = run[name].values
    return bool(len(values) and np.any(values != values[0]))


def anchored(name: str) -> str:
    """A name as part of an anchor: letters, digits and hyphens, and still unique."""
    return "".join(letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}-" for letter in name)
