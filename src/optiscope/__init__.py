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
    from optiscope.frameworks.watch import Watch, watch
    from optiscope.recording.schedule import at, every, log_spaced
    from optiscope.rendering import save, write_report
    from optiscope.runs import HistogramSeries, Run, Series, list_runs, open_run

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "HistogramSeries",
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

# Where each name lives. No name may be that of a direct submodule: importing the submodule would take its place.
_HOMES = {
    "Comparison": "optiscope.analysis.comparison",
    "HistogramSeries": "optiscope.runs",
    "Run": "optiscope.runs",
    "Series": "optiscope.runs",
    "Trajectory": "optiscope.analysis.trajectory",
    "Watch": "optiscope.frameworks.watch",
    "at": "optiscope.recording.schedule",
    "compare": "optiscope.analysis.comparison",
    "every": "optiscope.recording.schedule",
    "list_runs": "optiscope.runs",
    "log_spaced": "optiscope.recording.schedule",
    "open_run": "optiscope.runs",
    "plot": "optiscope.figures",
    "save": "optiscope.rendering",
    "trajectory": "optiscope.analysis.trajectory",
    "watch": "optiscope.frameworks.watch",
    "write_report": "optiscope.rendering",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
