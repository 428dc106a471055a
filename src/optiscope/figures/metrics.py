"""Which series of a run are metrics that the user logged, as opposed to quantities that the recorder measured."""

from __future__ import annotations

from optiscope.figures.wording import QUANTITIES
from optiscope.runs import Run


def metric_names(run: Run) -> tuple[str, ...]:
    """Names of the single numbers a step that were logged, in the run's order."""
    return tuple(
        name
        for name in run.names
        if not any(part in QUANTITIES for part in name.split("/")) and run[name].values.ndim == 1
    )


def main_metric(run: Run) -> str | None:
    """The metric to look at first: "loss", or the first whose name speaks of one, or the first; None without any."""
    names = metric_names(run)
    if "loss" in names:
        return "loss"
    return next((name for name in names if "loss" in name.lower()), names[0] if names else None)
