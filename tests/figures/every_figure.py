"""Every figure that there is, drawn from the sample runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from optiscope.analysis import compare, trajectory
from optiscope.figures import plot
from optiscope.runs import Run

Samples = Mapping[str, Run]


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
}
