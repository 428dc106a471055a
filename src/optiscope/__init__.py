"""See what an optimizer does, what is wrong with a training run and why.

    import optiscope as osc

    with osc.watch(model, optimizer, run="runs/adam") as watch:   # train as before, inside
        ...
        watch.log(loss=loss)

    run = osc.open_run("runs/adam")
    osc.plot(run)
    osc.save(run, "curves.pdf")

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
    from optiscope.figures import plot
    from optiscope.frameworks.numpy import NumpyOptimizer
    from optiscope.frameworks.watch import Watch, watch
    from optiscope.recording.schedule import at, every, log_spaced
    from optiscope.rendering.report import write_report
    from optiscope.rendering.save import save
    from optiscope.runs import HistogramSeries, Run, Series, open_run
    from optiscope.runs import runs as list_runs

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "HistogramSeries",
    "NumpyOptimizer",
    "Run",
    "Series",
    "Trajectory",
    "Watch",
    "__version__",
    "at",
    "compare",
    "errors",
    "every",
    "list_runs",
    "log_spaced",
    "open_run",
    "plot",
    "save",
    "trajectory",
    "watch",
    "write_report",
]

# Where each name lives. No name may be that of a direct submodule, which would take its place once it is imported; so
# the function that lists runs is not called `runs` here.
_HOMES = {
    "Comparison": "optiscope.analysis.comparison.Comparison",
    "HistogramSeries": "optiscope.runs.HistogramSeries",
    "NumpyOptimizer": "optiscope.frameworks.numpy.NumpyOptimizer",
    "Run": "optiscope.runs.Run",
    "Series": "optiscope.runs.Series",
    "Trajectory": "optiscope.analysis.trajectory.Trajectory",
    "Watch": "optiscope.frameworks.watch.Watch",
    "at": "optiscope.recording.schedule.at",
    "compare": "optiscope.analysis.comparison.compare",
    "every": "optiscope.recording.schedule.every",
    "list_runs": "optiscope.runs.runs",
    "log_spaced": "optiscope.recording.schedule.log_spaced",
    "open_run": "optiscope.runs.open_run",
    "plot": "optiscope.figures.plot",
    "save": "optiscope.rendering.save.save",
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
