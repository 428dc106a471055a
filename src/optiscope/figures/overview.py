"""Everything about one run at a glance."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go

from optiscope.analysis.grouping import optimizer_name
from optiscope.analysis.thinning import thinning_sentence
from optiscope.analysis.trajectory import trajectory
from optiscope.analysis.wording import duration, percent
from optiscope.errors import ArgumentError
from optiscope.figures.colours import Colours
from optiscope.figures.curves import curves_panel, describe_marks
from optiscope.figures.layer_heatmap import layer_axis, layer_heatmap_panel
from optiscope.figures.learning_rate import learning_rate_panel
from optiscope.figures.metrics import main_metric
from optiscope.figures.panel import ROW, Panel, head, place
from optiscope.figures.path import path_panel
from optiscope.figures.theme import Theme, theme_named
from optiscope.figures.update_ratio import update_ratio_panel
from optiscope.runs import Run

_HEIGHT = 960
_LEFT, _RIGHT = (0.0, 0.44), (0.57, 1.0)
# Names of layers and colour bars need room inside the page, or they would push all panels together.
_LEFT_OF_MAP, _RIGHT_OF_PATH = (0.09, 0.37), (0.6, 0.9)
_ROWS = ((0.73, 1.0), (0.375, 0.635), (0.0, 0.27))


def overview(
    run: Run,
    *,
    timeline: str = "step",
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """Loss, learning rate, gradient norm, update ratio, gradient norm of every layer, and the path of the weights.

    A panel for which the run holds nothing says so and why. The subtitle says what the recording cost, what was
    thinned to stay inside the budget, and what was lost.

    Args:
        run: a run, finished or not.
        timeline: "step", "seconds", "epoch" or "samples" of the horizontal axes.
        title: in place of the one made from name, optimizer and status.
        colours: colour by run name, to agree with other figures.
        theme: "light" or "dark".

    Raises:
        UnknownName: no such timeline or theme.
    """
    chosen = theme_named(theme)
    figure = go.Figure()
    panels = (
        _loss(run, timeline, colours, chosen),
        _learning_rate(run, timeline, chosen),
        _gradient_norm(run, timeline, colours, chosen),
        _update_ratio(run, timeline, colours, chosen),
        _heat_map(run, timeline, chosen),
        _path(run, chosen),
    )
    for index, panel in enumerate(panels):
        row, column = divmod(index, 2)
        x = (_LEFT, _RIGHT)[column]
        if row == 2 and not panel.message:
            x = (_LEFT_OF_MAP, _RIGHT_OF_PATH)[column]
        place(figure, panel, chosen, number=index + 1, x=x, y=_ROWS[row], heading=True, legend=False)
    optimizer = optimizer_name(run)
    heading = title or " · ".join(part for part in (run.name, optimizer, run.status) if part)
    head(figure, chosen, heading, [*_facts(run), *panels[-1].notes], room=ROW)
    figure.update_layout(height=_HEIGHT, showlegend=False)
    return figure


def _loss(run: Run, timeline: str, colours: Colours | None, theme: Theme) -> Panel:
    name = main_metric(run)
    if name is None:
        return Panel(title="Loss", message="No metric was logged. Call watch.log(loss=loss) in the training loop.")
    series = run[name]
    if len(series) == 0:
        return Panel(title="Loss", message=f"No value of {name} has been recorded yet.")
    panel = curves_panel([series], timeline=timeline, scale="auto", smoothing=None, colours=colours, theme=theme)
    return _with_note(panel, describe_marks(series))


def _learning_rate(run: Run, timeline: str, theme: Theme) -> Panel:
    name = _first(run, "learning_rate")
    if name is None:
        return Panel(title="Learning rate", message=_absent(run, "learning rate"))
    return learning_rate_panel(run[name], timeline=timeline, scale="auto", theme=theme)


def _gradient_norm(run: Run, timeline: str, colours: Colours | None, theme: Theme) -> Panel:
    name = _first(run, "gradient_norm/global")
    if name is None:
        return Panel(title="Gradient norm", message=_absent(run, "gradient norms"))
    series = run[name]
    panel = curves_panel([series], timeline=timeline, scale="log", smoothing=None, colours=colours, theme=theme)
    return _with_note(_brief(panel, "Gradient norm", "‖g‖"), describe_marks(series))


def _update_ratio(run: Run, timeline: str, colours: Colours | None, theme: Theme) -> Panel:
    name = _first(run, "update_ratio/global")
    if name is None:
        return Panel(title="Update / weight ratio", message=_absent(run, "updates"))
    panel = update_ratio_panel(run[name], timeline=timeline, colours=colours, theme=theme)
    return _brief(panel, "Update / weight ratio, healthy band", "‖Δθ‖ / ‖θ‖")


def _heat_map(run: Run, timeline: str, theme: Theme) -> Panel:
    name = _first(run, "gradient_norm")
    if name is None:
        return Panel(title="Gradient norm of every layer", message=_absent(run, "gradient norms of the layers"))
    counted = name.replace("gradient_norm", "gradient_nonfinite")
    series = run[name]
    nonfinite = run[counted] if counted in run.names else None
    panel = layer_heatmap_panel(series, nonfinite=nonfinite, timeline=timeline, theme=theme)
    y = {**panel.y, **layer_axis(list(series.labels), most=14, length=17)}
    return replace(panel, title="Gradient norm of every layer", y=y)


def _path(run: Run, theme: Theme) -> Panel:
    title = "Path of the weights"
    try:
        seen = trajectory(run)
    except ArgumentError as reason:
        return Panel(title=title, message=str(reason))
    panel = replace(path_panel(seen, theme=theme), notes=(seen.left_out,) if seen.left_out else ())
    if seen.is_too_few:
        return replace(panel, title="Path: too few snapshots to judge")
    shown, chance = float(seen.explained_variance.sum()), float(seen.random_walk_variance.sum())
    return replace(panel, title=f"Path: {percent(shown)} seen (chance: {percent(chance)})")


def _first(run: Run, quantity: str) -> str | None:
    """Name of the series of `quantity`: with several optimizers each has its own, and the first is drawn."""
    return next((name for name in run.names if name == quantity or name.endswith("/" + quantity)), None)


def _absent(run: Run, what: str) -> str:
    if not run.names:
        return "Nothing has been recorded yet."
    return f"This run holds no {what}. Either that was not measured, or the run was not recorded by watch()."


def _brief(panel: Panel, title: str, unit: str) -> Panel:
    """The panel with a title and an axis title that fit into a part of the page."""
    return replace(panel, title=title, y={**panel.y, "title": {"text": f"{unit} (log scale)"}})


def _with_note(panel: Panel, note: str) -> Panel:
    return replace(panel, title=f"{panel.title}: {note.split(' (', maxsplit=1)[0]}") if note else panel


def _facts(run: Run) -> list[str]:
    sentences = [f"Step {run.steps:,} after {duration(run.seconds)}."]
    several = [str(one["name"]) for one in run.optimizers if "name" in one]
    if len(several) > 1:
        sentences.append(f"{len(several)} optimizers; the pictures are of the first.")
    fraction = run.overhead.get("fraction")
    if isinstance(fraction, int | float):
        sentences.append(f"Recording took {percent(float(fraction))} of the training time.")
    if sentence := thinning_sentence(run):
        sentences.append(sentence)
    sentences += run.losses.sentences()
    return sentences
