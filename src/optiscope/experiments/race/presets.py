"""Races with known answers, each of which one command runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from optiscope.errors import UnknownName
from optiscope.experiments.race.path import Path
from optiscope.experiments.race.race import final_loss, race, settled_loss
from optiscope.experiments.race.result import Race


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A race whose settings are fixed."""

    name: str
    """Name by which it is asked for."""
    about: str
    """What it shows, in a sentence."""
    view: str
    """The view that a picture or film shows unless another is asked for."""
    run: Callable[[], Race]
    """Runs it."""


def preset(name: str) -> Race:
    """Run the preset of that name. Raises `UnknownName` for an unknown one.

    >>> adam = preset("sphere").paths_of("Adam")[0]
    >>> adam.points[-1].round(8).tolist()
    [-0.29364447, 0.42443474]
    """
    if name not in PRESETS:
        raise UnknownName.among(name, PRESETS, kind="preset")
    return PRESETS[name].run()


def _sphere() -> Race:
    """f = 0.2 x₀² + 2 x₁² from (3, 4); each optimizer has its own number of steps."""
    steps = {
        "sgd(learning_rate=0.2)": 20,
        "adagrad(learning_rate=0.5, epsilon=1e-7, epsilon_inside=true)": 50,
        "rmsprop(learning_rate=0.1, beta=0.9, epsilon=1e-7, epsilon_inside=true)": 50,
        "classical_momentum(learning_rate=0.01, momentum=0.9)": 50,
        "adam(learning_rate=0.2, beta1=0.9, beta2=0.99, epsilon=1e-7, epsilon_inside=true)": 20,
    }
    whole = race(
        "sphere",
        list(steps),
        start=(3.0, 4.0),
        steps=50,
        tune=0,
        title="A weighted sphere, f = 0.2 x₀² + 2 x₁²",
    )
    by_rule = {text.partition("(")[0]: count for text, count in steps.items()}
    lengths = {entry.label: by_rule[entry.rule] for entry in whole.entries}
    paths = tuple(_cut(path, lengths[path.optimizer]) for path in whole.paths)
    ends = {path.optimizer: path for path in paths}
    entries = [
        replace(
            entry,
            final=np.array([final_loss(ends[entry.label])]),
            settled=np.array([settled_loss(ends[entry.label])]),
        )
        for entry in whole.entries
    ]
    entries.sort(key=lambda entry: float(entry.final[0]))
    ranked = tuple(replace(entry, rank=place) for place, entry in enumerate(entries, start=1))
    note = "Numbers of steps differ, so the order says nothing about speed: " + ", ".join(
        f"{entry.label} {lengths[entry.label]}" for entry in ranked
    )
    return replace(whole, entries=ranked, paths=paths, notes=(f"{note}.",), window=((-2.0, 5.0), (-2.0, 5.0)))


def _cut(path: Path, steps: int) -> Path:
    rows = slice(steps + 1)
    return replace(
        path,
        points=path.points[rows],
        losses=path.losses[rows],
        gradients=path.gradients[rows],
        effective_rates=path.effective_rates[rows],
        internals={name: values[rows] for name, values in path.internals.items()},
        probes=None if path.probes is None else path.probes[rows],
    )


def _saddle() -> Race:
    """f = x₀² + x₁² + x₁³ + x₀x₁ from (2, 3): the origin is no saddle, and momentum overshoots the real one."""
    return race(
        "cubic_saddle",
        [
            "sgd(learning_rate=0.01)",
            "adagrad(learning_rate=0.5, epsilon=1e-7, epsilon_inside=true)",
            "rmsprop(learning_rate=0.1, beta=0.9, epsilon=1e-7, epsilon_inside=true)",
            "classical_momentum(learning_rate=0.01, momentum=0.9)",
            "adam(learning_rate=0.1, beta1=0.9, beta2=0.99, epsilon=1e-7, epsilon_inside=true)",
        ],
        start=(2.0, 3.0),
        steps=150,
        tune=0,
        title="A surface with a saddle, f = x₀² + x₁² + x₁³ + x₀x₁",
    )


def _fit() -> Race:
    """One linear layer on 1,000 samples in batches of 64, 30 epochs."""
    return race(
        "linear_fit",
        [
            "sgd(learning_rate=0.01)",
            "adagrad(learning_rate=0.1, epsilon=1e-7, epsilon_inside=true)",
            "rmsprop(learning_rate=0.1, beta=0.9, epsilon=1e-7, epsilon_inside=true)",
            "classical_momentum(learning_rate=0.01, momentum=0.9)",
            "adam(learning_rate=0.1, beta1=0.9, beta2=0.99, epsilon=1e-7, epsilon_inside=true)",
        ],
        steps=480,
        tune=0,
        title="A linear layer, 30 epochs of 16 batches",
    )


PRESETS: Mapping[str, Preset] = {
    one.name: one
    for one in (
        Preset(
            name="sphere", about="Five rules on a weighted sphere, with known end points.", view="contour", run=_sphere
        ),
        Preset(
            name="saddle",
            about="Five rules on a cubic surface: the origin is a minimum, the saddle is elsewhere, momentum diverges.",
            view="surface",
            run=_saddle,
        ),
        Preset(name="fit", about="Five rules fit a linear layer in mini-batches.", view="fit", run=_fit),
    )
}
"""The presets by name."""
