"""One verb draws any result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import plotly.graph_objects as go

from optiscope.analysis.comparison import Comparison, compare
from optiscope.analysis.trajectory import Trajectory, trajectory
from optiscope.errors import ArgumentError, UnknownName
from optiscope.experiments.race.basins import BasinMap
from optiscope.experiments.race.result import Race
from optiscope.experiments.race.stability import StabilityMap
from optiscope.figures.basin_map import basin_map
from optiscope.figures.colours import Colours
from optiscope.figures.comparison import comparison
from optiscope.figures.curves import curves
from optiscope.figures.histogram_over_time import histogram_over_time
from optiscope.figures.layer_heatmap import layer_heatmap
from optiscope.figures.layers import layers
from optiscope.figures.learning_rate import learning_rate
from optiscope.figures.metrics import main_metric
from optiscope.figures.overview import overview
from optiscope.figures.path import path
from optiscope.figures.phase_plot import phase_plot
from optiscope.figures.race_contour import race_contour
from optiscope.figures.race_curves import race_curves
from optiscope.figures.race_fit import race_fit
from optiscope.figures.race_internals import race_internals
from optiscope.figures.race_surface import race_surface
from optiscope.figures.reach import reach
from optiscope.figures.run_colours import run_strokes
from optiscope.figures.run_curves import run_curves
from optiscope.figures.schedule_preview import schedule_preview
from optiscope.figures.stability_map import stability_map
from optiscope.figures.theme import theme_named
from optiscope.figures.tuning import tuning
from optiscope.figures.update_ratio import update_ratio
from optiscope.figures.wording import quantity_of
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.mini_batches import MiniBatchFunction
from optiscope.runs import HistogramSeries, Run, Series

Builder = Callable[..., go.Figure]


def plot(result: object, *, view: str | None = None, theme: str = "light", **visual: object) -> go.Figure:
    """Draw `result` as a plotly figure.

    | result                  | views, the default first                                    |
    | ----------------------- | ----------------------------------------------------------- |
    | `Run`                   | overview, curves, path, path-3d                             |
    | `Series`, one value     | lines                                                       |
    | `Series`, by layer      | lines, heatmap                                              |
    | `HistogramSeries`       | histogram                                                   |
    | `Trajectory`            | path                                                        |
    | `Comparison`            | comparison                                                  |
    | several `Run`s          | comparison, curves, path, path-3d                           |
    | several `Series`        | lines                                                       |
    | `Race`                  | contour, surface, fit, curves, internals, phase, tuning, reach |
    | `BasinMap`              | basins                                                      |
    | `StabilityMap`          | stability                                                   |
    | one or several schedules | schedule                                                   |
    | a plotly `Figure`       | itself, in the theme                                        |

    A race on a problem with other than two coordinates has no contour, surface and internals, and only a tuned one has
    tuning and, with a grid of starts, reach. Only one on a problem with mini-batches has fit.

    Args:
        result: what to draw.
        view: which of its figures.
        theme: "light" or "dark".
        visual: arguments of that figure, such as scale="log"; they change how it looks and compute nothing anew.

    Raises:
        ArgumentError: nothing draws such an object.
        UnknownName: no such view, theme or visual argument.
    """
    if isinstance(result, go.Figure):
        if view is not None or visual:
            raise ArgumentError("A finished figure has no views and takes no visual arguments, only a theme.")
        return go.Figure(result).update_layout(template=theme_named(theme).template)
    views = _views_of(result)
    chosen = view if view is not None else next(iter(views))
    if chosen not in views:
        if isinstance(result, Race) and chosen in _RACE_VIEWS:
            raise ArgumentError(_missing(result.problem, chosen))
        raise UnknownName.among(
            chosen, _RACE_VIEWS if isinstance(result, Race) else views, kind=f"view of a {_kind(result)}"
        )
    builder = views[chosen]
    allowed = _visual_arguments(builder)
    for name in visual:
        if name not in allowed:
            raise UnknownName.among(name, allowed, kind=f"visual argument of the view {chosen!r}")
    return builder(result, theme=theme, **visual)


def check_race_view(problem: Function, view: str, *, film: bool = False) -> None:
    """Refuse, before a race is run, a view that none on this problem can have.

    Args:
        problem: what will be minimised.
        view: name of the view.
        film: whether it is to be a film, for which the view has to move.

    Raises:
        UnknownName: no such view of a race.
        ArgumentError: it needs another problem, or it does not move.
    """
    if view not in _RACE_VIEWS:
        raise UnknownName.among(view, _RACE_VIEWS, kind="view of a Race")
    lacking = view in _PLANE and problem.dimension != 2
    if lacking or (view == "fit" and not isinstance(problem, MiniBatchFunction)):
        raise ArgumentError(_missing(problem, view))
    if film and "animated" not in _visual_arguments(_RACE_VIEWS[view]):
        moving = [name for name, builder in _RACE_VIEWS.items() if "animated" in _visual_arguments(builder)]
        raise ArgumentError(
            f"A film needs a view that moves, and {view!r} stands still. Film {_either(moving)}, or save it as .png, "
            f".svg, .pdf or .html. Received: view={view!r}."
        )


def _missing(problem: Function, view: str) -> str:
    """Why a race has no such view."""
    if view in _PLANE and problem.dimension != 2:
        return (
            f"The view {view!r} needs a problem of two coordinates; {problem.name} has {problem.dimension}. "
            f"Take 'curves' or 'phase' instead. Received: view={view!r}."
        )
    reasons = {
        "fit": f"needs a problem with mini-batches, such as linear_fit, and {problem.name} has none",
        "tuning": "needs a race in which something was tuned: race(..., tune=60)",
        "reach": "needs a race with starts spread over the domain and a target: race(..., reach=100), "
        "with target=... where the minimum is not known",
    }
    return f"The view {view!r} {reasons[view]}. Received: view={view!r}."


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(map(repr, names[:-1]))} or {names[-1]!r}"


def view_names(result: object) -> tuple[str, ...]:
    """The names of the figures of `result`, the one that `plot` draws by default first."""
    return tuple(_views_of(result))


def takes(result: object, argument: str, *, view: str | None = None) -> bool:
    """Whether a view of `result`, by default the first, has a visual argument, such as "animated"."""
    views = _views_of(result)
    builder = views.get(view if view is not None else next(iter(views)))
    return builder is not None and argument in _visual_arguments(builder)


def _visual_arguments(builder: Builder) -> set[str]:
    arguments = inspect.signature(builder).parameters
    return {name for name, argument in arguments.items() if argument.kind is argument.KEYWORD_ONLY} - {"theme"}


def _views_of(result: object) -> Mapping[str, Builder]:
    match result:
        case Run():
            return {"overview": overview, "curves": run_curves, "path": run_path, "path-3d": run_path_3d}
        case Series():
            return _series_views(result)
        case HistogramSeries():
            return {"histogram": histogram_over_time}
        case Trajectory():
            return {"path": path}
        case Comparison():
            return {"comparison": comparison}
        case Race():
            return _race_views(result)
        case BasinMap():
            return {"basins": basin_map}
        case StabilityMap():
            return {"stability": stability_map}
        case Schedule():
            return {"schedule": schedule_preview}
        case Sequence() if result and all(isinstance(one, Run) for one in result):
            return {"comparison": runs_comparison, "curves": runs_curves, "path": run_path, "path-3d": run_path_3d}
        case Sequence() if result and all(isinstance(one, Series) for one in result):
            return {"lines": curves}
        case Sequence() if result and all(isinstance(one, Schedule) for one in result):
            return {"schedule": schedule_preview}
        case ReactiveSchedule():
            raise ArgumentError(
                f"{result.title} has no preview: it depends on the losses that training reaches, not on the step "
                f"alone. Draw the race or run that it was used in. Received: {result}."
            )
        case _:
            raise ArgumentError(
                "Only a Run, Series, HistogramSeries, Trajectory, Comparison, Race, BasinMap, StabilityMap, Schedule, "
                f"a list of runs, series or schedules, and a plotly Figure can be drawn. Received: {_kind(result)}."
            )


_RACE_VIEWS: Mapping[str, Builder] = {
    "contour": race_contour,
    "surface": race_surface,
    "fit": race_fit,
    "curves": race_curves,
    "internals": race_internals,
    "phase": phase_plot,
    "tuning": tuning,
    "reach": reach,
}
"""Every view that some race has."""
_PLANE = frozenset({"contour", "surface", "internals"})
"""Those that need two coordinates."""


def _race_views(race: Race) -> Mapping[str, Builder]:
    """What can be drawn of it: a contour needs two coordinates, a U-curve needs tuning."""
    plane = race.problem.dimension == 2
    views: dict[str, Builder] = {"contour": race_contour, "surface": race_surface} if plane else {}
    if isinstance(race.problem, MiniBatchFunction):
        views["fit"] = race_fit
    views["curves"] = race_curves
    if plane:
        views["internals"] = race_internals
    views["phase"] = phase_plot
    if any(entry.tuning is not None for entry in race.entries):
        views["tuning"] = tuning
    if race.target is not None and any(entry.reached is not None for entry in race.entries):
        views["reach"] = reach
    return views


def _series_views(series: Series) -> Mapping[str, Builder]:
    quantity = quantity_of(series.name)
    if quantity == "update_ratio":
        views: dict[str, Builder] = {"lines": update_ratio}
    elif series.values.ndim == 1:
        views = {"lines": curves}
    elif quantity in ("learning_rate", "momentum", "beta1", "beta2", "weight_decay"):
        views = {"lines": learning_rate}
    else:
        views = {"lines": layers}
    if series.values.ndim == 2:
        views["heatmap"] = layer_heatmap
    return views


def run_path(
    runs: Run | Sequence[Run],
    *,
    off_plane: bool = True,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """The path of one or several runs in the plane of their principal components; see `path`."""
    shown = colours if colours is not None else _of_groups(runs, theme)
    return path(trajectory(runs), off_plane=off_plane, title=title, colours=shown, theme=theme)


def run_path_3d(
    runs: Run | Sequence[Run],
    *,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """The path of one or several runs in the space of their first three principal components; see `path`."""
    shown = colours if colours is not None else _of_groups(runs, theme)
    return path(trajectory(runs, components=3), title=title, colours=shown, theme=theme)


def runs_comparison(
    runs: Sequence[Run],
    *,
    metric: str | None = None,
    scale: str = "auto",
    smoothing: float | None = None,
    finals: bool = True,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """Runs grouped by their configuration and compared in one metric, by default their loss; see `comparison`."""
    chosen = metric or main_metric(runs[0]) or "loss"
    return comparison(
        compare(runs, chosen),
        scale=scale,
        smoothing=smoothing,
        finals=finals,
        title=title,
        colours=colours,
        theme=theme,
    )


def runs_curves(
    runs: Sequence[Run],
    *,
    metric: str | None = None,
    timeline: str = "step",
    scale: str = "auto",
    smoothing: float | None = None,
    title: str | None = None,
    colours: Colours | None = None,
    theme: str = "light",
) -> go.Figure:
    """One metric of every run, by default the loss, a line a run; see `curves`."""
    chosen = metric or main_metric(runs[0]) or "loss"
    return curves(
        [run[chosen] for run in runs],
        timeline=timeline,
        scale=scale,
        smoothing=smoothing,
        title=title,
        colours=colours if colours is not None else _of_groups(runs, theme),
        theme=theme,
    )


def _of_groups(runs: Run | Sequence[Run], theme: str) -> Colours | None:
    """Strokes of several runs by their groups, as in their comparison."""
    return None if isinstance(runs, Run) else run_strokes(runs, theme_named(theme))


def _kind(result: object) -> str:
    if isinstance(result, Sequence) and not isinstance(result, str) and result:
        return f"{type(result).__name__} of {type(result[0]).__name__}"
    return type(result).__name__
