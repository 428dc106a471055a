"""See what an optimizer does, what is wrong with a training run and why.

    import optiscope as osc

    with osc.watch(model, optimizer, run="runs/adam") as watch:   # train as before, inside
        ...
        watch.log(loss=loss)

    run = osc.open_run("runs/adam")
    osc.plot(run)
    osc.save(run, "curves.pdf")

    race = osc.race("rosenbrock", ["sgd", "momentum", "adam"])
    osc.save(race, "race.html")

The names below load what they need when they are first used: `import optiscope` alone loads no deep-learning framework,
no plotting library and no array library.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from optiscope import errors

if TYPE_CHECKING:
    from optiscope.analysis.comparison import Comparison, compare
    from optiscope.analysis.trajectory import Trajectory, trajectory
    from optiscope.experiments.check_optimizer import check_optimizer
    from optiscope.experiments.own_function import own_function
    from optiscope.experiments.race.basins import BasinMap, basin_map
    from optiscope.experiments.race.presets import preset as race_preset
    from optiscope.experiments.race.race import race
    from optiscope.experiments.race.result import Race
    from optiscope.experiments.race.stability import StabilityMap, stability_map
    from optiscope.figures import plot
    from optiscope.frameworks.numpy import NumpyOptimizer
    from optiscope.frameworks.pytorch.rule_optimizer import torch_optimizer
    from optiscope.frameworks.watch import Watch, watch
    from optiscope.optimizers.chain import chain
    from optiscope.optimizers.listing import list_optimizers, list_schedules
    from optiscope.optimizers.own import register_optimizer
    from optiscope.optimizers.registry import rule
    from optiscope.optimizers.rule import Rule
    from optiscope.optimizers.schedules.registry import schedule
    from optiscope.optimizers.transformations.accumulate import accumulate
    from optiscope.optimizers.transformations.add_l2 import add_l2
    from optiscope.optimizers.transformations.add_noise import add_noise
    from optiscope.optimizers.transformations.add_weight_decay import add_weight_decay
    from optiscope.optimizers.transformations.average_weights import average_weights
    from optiscope.optimizers.transformations.centralise import centralise
    from optiscope.optimizers.transformations.clip_by_global_norm import clip_by_global_norm
    from optiscope.optimizers.transformations.clip_by_norm import clip_by_norm
    from optiscope.optimizers.transformations.clip_by_rms import clip_by_rms
    from optiscope.optimizers.transformations.clip_by_value import clip_by_value
    from optiscope.optimizers.transformations.look_ahead import look_ahead
    from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
    from optiscope.optimizers.transformations.scale_by_factored_rms import scale_by_factored_rms
    from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate
    from optiscope.optimizers.transformations.scale_by_momentum import scale_by_momentum
    from optiscope.optimizers.transformations.scale_by_rms import scale_by_rms
    from optiscope.optimizers.transformations.scale_by_schedule import scale_by_schedule
    from optiscope.optimizers.transformations.scale_by_sign import scale_by_sign
    from optiscope.problems.critical_points import critical_points
    from optiscope.problems.functions.function import Function
    from optiscope.problems.functions.registry import function as problem
    from optiscope.problems.listing import list_problems
    from optiscope.problems.modifiers import GradientNoise, Rotation, Scaling, Shift, SparseGradients
    from optiscope.recording.schedule import at, every, log_spaced
    from optiscope.rendering.report import write_report
    from optiscope.rendering.save import save
    from optiscope.runs import HistogramSeries, Run, Series, open_run
    from optiscope.runs import runs as list_runs

__version__ = "0.1.0"

__all__ = [
    "BasinMap",
    "Comparison",
    "Function",
    "GradientNoise",
    "HistogramSeries",
    "NumpyOptimizer",
    "Race",
    "Rotation",
    "Rule",
    "Run",
    "Scaling",
    "Series",
    "Shift",
    "SparseGradients",
    "StabilityMap",
    "Trajectory",
    "Watch",
    "__version__",
    "accumulate",
    "add_l2",
    "add_noise",
    "add_weight_decay",
    "at",
    "average_weights",
    "basin_map",
    "centralise",
    "chain",
    "check_optimizer",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_rms",
    "clip_by_value",
    "compare",
    "critical_points",
    "errors",
    "every",
    "list_optimizers",
    "list_problems",
    "list_runs",
    "list_schedules",
    "log_spaced",
    "look_ahead",
    "open_run",
    "own_function",
    "plot",
    "problem",
    "race",
    "race_preset",
    "register_optimizer",
    "rule",
    "save",
    "scale_by_adam",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_momentum",
    "scale_by_rms",
    "scale_by_schedule",
    "scale_by_sign",
    "schedule",
    "stability_map",
    "torch_optimizer",
    "trajectory",
    "watch",
    "write_report",
]

# Where each name lives. No name may be that of a direct submodule, which would take its place once it is imported; so
# the function that lists runs is not called `runs` here.
_HOMES = {
    "BasinMap": "optiscope.experiments.race.basins.BasinMap",
    "Comparison": "optiscope.analysis.comparison.Comparison",
    "Function": "optiscope.problems.functions.function.Function",
    "GradientNoise": "optiscope.problems.modifiers.GradientNoise",
    "HistogramSeries": "optiscope.runs.HistogramSeries",
    "NumpyOptimizer": "optiscope.frameworks.numpy.NumpyOptimizer",
    "Race": "optiscope.experiments.race.result.Race",
    "Rotation": "optiscope.problems.modifiers.Rotation",
    "Rule": "optiscope.optimizers.rule.Rule",
    "Run": "optiscope.runs.Run",
    "Scaling": "optiscope.problems.modifiers.Scaling",
    "Series": "optiscope.runs.Series",
    "Shift": "optiscope.problems.modifiers.Shift",
    "SparseGradients": "optiscope.problems.modifiers.SparseGradients",
    "StabilityMap": "optiscope.experiments.race.stability.StabilityMap",
    "Trajectory": "optiscope.analysis.trajectory.Trajectory",
    "Watch": "optiscope.frameworks.watch.Watch",
    "accumulate": "optiscope.optimizers.transformations.accumulate.accumulate",
    "add_l2": "optiscope.optimizers.transformations.add_l2.add_l2",
    "add_noise": "optiscope.optimizers.transformations.add_noise.add_noise",
    "add_weight_decay": "optiscope.optimizers.transformations.add_weight_decay.add_weight_decay",
    "at": "optiscope.recording.schedule.at",
    "average_weights": "optiscope.optimizers.transformations.average_weights.average_weights",
    "basin_map": "optiscope.experiments.race.basins.basin_map",
    "centralise": "optiscope.optimizers.transformations.centralise.centralise",
    "chain": "optiscope.optimizers.chain.chain",
    "check_optimizer": "optiscope.experiments.check_optimizer.check_optimizer",
    "clip_by_global_norm": "optiscope.optimizers.transformations.clip_by_global_norm.clip_by_global_norm",
    "clip_by_norm": "optiscope.optimizers.transformations.clip_by_norm.clip_by_norm",
    "clip_by_rms": "optiscope.optimizers.transformations.clip_by_rms.clip_by_rms",
    "clip_by_value": "optiscope.optimizers.transformations.clip_by_value.clip_by_value",
    "compare": "optiscope.analysis.comparison.compare",
    "critical_points": "optiscope.problems.critical_points.critical_points",
    "every": "optiscope.recording.schedule.every",
    "list_optimizers": "optiscope.optimizers.listing.list_optimizers",
    "list_problems": "optiscope.problems.listing.list_problems",
    "list_runs": "optiscope.runs.runs",
    "list_schedules": "optiscope.optimizers.listing.list_schedules",
    "log_spaced": "optiscope.recording.schedule.log_spaced",
    "look_ahead": "optiscope.optimizers.transformations.look_ahead.look_ahead",
    "open_run": "optiscope.runs.open_run",
    "own_function": "optiscope.experiments.own_function.own_function",
    "plot": "optiscope.figures.plot",
    "problem": "optiscope.problems.functions.registry.function",
    "race": "optiscope.experiments.race.race.race",
    "race_preset": "optiscope.experiments.race.presets.preset",
    "register_optimizer": "optiscope.optimizers.own.register_optimizer",
    "rule": "optiscope.optimizers.registry.rule",
    "save": "optiscope.rendering.save.save",
    "scale_by_adam": "optiscope.optimizers.transformations.scale_by_adam.scale_by_adam",
    "scale_by_factored_rms": "optiscope.optimizers.transformations.scale_by_factored_rms.scale_by_factored_rms",
    "scale_by_learning_rate": "optiscope.optimizers.transformations.scale_by_learning_rate.scale_by_learning_rate",
    "scale_by_momentum": "optiscope.optimizers.transformations.scale_by_momentum.scale_by_momentum",
    "scale_by_rms": "optiscope.optimizers.transformations.scale_by_rms.scale_by_rms",
    "scale_by_schedule": "optiscope.optimizers.transformations.scale_by_schedule.scale_by_schedule",
    "scale_by_sign": "optiscope.optimizers.transformations.scale_by_sign.scale_by_sign",
    "schedule": "optiscope.optimizers.schedules.registry.schedule",
    "stability_map": "optiscope.experiments.race.stability.stability_map",
    "torch_optimizer": "optiscope.frameworks.pytorch.rule_optimizer.torch_optimizer",
    "trajectory": "optiscope.analysis.trajectory.trajectory",
    "watch": "optiscope.frameworks.watch.watch",
    "write_report": "optiscope.rendering.report.write_report",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    module, _, attribute = _HOMES[name].rpartition(".")
    value: object = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
