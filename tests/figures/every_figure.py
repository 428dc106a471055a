"""Every figure that there is, drawn from the sample runs and from races made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from optiscope.analysis import compare, trajectory
from optiscope.experiments.race.presets import preset
from optiscope.figures import plot
from optiscope.runs import Run
from tests.figures.made_maps import basins, many_basins, schedules, stability
from tests.figures.made_races import ripple_race, saddle_race, valley_race

Samples = Mapping[str, Run]
STARTS = [(-1.2, 1.0), (1.5, 2.5), (-1.5, -0.5), (0.5, 2.0)]


def _several(samples: Samples) -> list[Run]:
    return [samples["adam-0"], samples["adam-1"], samples["sgd-0"]]


FIGURES: dict[str, Callable[[Samples, str], go.Figure]] = {
    "overview": lambda runs, theme: plot(runs["adam-0"], theme=theme),
    "overview-poisoned": lambda runs, theme: plot(runs["poisoned"], theme=theme),
    "overview-bare": lambda runs, theme: plot(runs["bare"], theme=theme),
    "run-curves": lambda runs, theme: plot(runs["adam-0"], view="curves", theme=theme),
    "loss": lambda runs, theme: plot(runs["adam-0"]["loss"], theme=theme),
    "loss-poisoned": lambda runs, theme: plot(runs["poisoned"]["loss"], theme=theme),
    "loss-symlog": lambda runs, theme: plot(runs["adam-0"]["loss"], scale="symlog", theme=theme),
    "loss-of-runs": lambda runs, theme: plot(_several(runs), view="curves", theme=theme),
    "layers": lambda runs, theme: plot(runs["adam-0"]["gradient_norm"], theme=theme),
    "heatmap": lambda runs, theme: plot(runs["poisoned"]["gradient_norm"], view="heatmap", theme=theme),
    "heatmap-cosine": lambda runs, theme: plot(runs["adam-0"]["update_gradient_cosine"], view="heatmap", theme=theme),
    "learning-rate": lambda runs, theme: plot(runs["adam-0"]["learning_rate"], theme=theme),
    "update-ratio": lambda runs, theme: plot(runs["adam-0"]["update_ratio"], theme=theme),
    "histogram": lambda runs, theme: plot(runs["poisoned"].histograms("gradients"), theme=theme),
    "path": lambda runs, theme: plot(runs["adam-0"], view="path", theme=theme),
    "paths": lambda runs, theme: plot(trajectory(_several(runs)), theme=theme),
    "path-3d": lambda runs, theme: plot(runs["adam-0"], view="path-3d", theme=theme),
    "paths-3d": lambda runs, theme: plot(_several(runs), view="path-3d", theme=theme),
    "path-of-weights": lambda runs, theme: plot(trajectory(runs["adam-0"], "weights"), theme=theme),
    "comparison": lambda runs, theme: plot(_several(runs), theme=theme),
    "comparison-poisoned": lambda runs, theme: plot(compare([*_several(runs), runs["poisoned"]]), theme=theme),
    "comparison-accuracy": lambda runs, theme: plot(compare(_several(runs), "accuracy"), theme=theme),
    "race-contour": lambda runs, theme: plot(saddle_race(), animated=False, theme=theme),
    "race-contour-many": lambda runs, theme: plot(valley_race(starts=STARTS), animated=False, theme=theme),
    "race-contour-crowd": lambda runs, theme: plot(ripple_race(), animated=False, theme=theme),
    "race-surface": lambda runs, theme: plot(saddle_race(), view="surface", animated=False, theme=theme),
    "race-surface-steep": lambda runs, theme: plot(valley_race(), view="surface", animated=False, theme=theme),
    "race-curves": lambda runs, theme: plot(saddle_race(), view="curves", theme=theme),
    "race-curves-many": lambda runs, theme: plot(valley_race(starts=STARTS), view="curves", theme=theme),
    "race-internals-adam": lambda runs, theme: plot(
        valley_race(), view="internals", optimizer="adam", animated=False, theme=theme
    ),
    "race-internals-nesterov": lambda runs, theme: plot(
        valley_race(), view="internals", optimizer="nesterov", step=7, animated=False, theme=theme
    ),
    "race-phase": lambda runs, theme: plot(saddle_race(), view="phase", theme=theme),
    "race-tuning": lambda runs, theme: plot(valley_race(tuned=True), view="tuning", theme=theme),
    "race-fit": lambda runs, theme: plot(preset("fit"), theme=theme),
    "race-reach": lambda runs, theme: plot(valley_race(tuned=True), view="reach", theme=theme),
    "basins": lambda runs, theme: plot(basins(), theme=theme),
    "basins-many": lambda runs, theme: plot(many_basins(), theme=theme),
    "stability": lambda runs, theme: plot(stability(), theme=theme),
    "schedule": lambda runs, theme: plot(schedules()[0], theme=theme),
    "schedules": lambda runs, theme: plot(schedules(), theme=theme),
}
