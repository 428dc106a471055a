"""How often each quantity of a run was measured, counted in the rows that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optiscope.analysis.wording import listed
from optiscope.runs.wording import counted

if TYPE_CHECKING:
    from optiscope.runs import Run

_THINNED = 1.05


def times_measured(run: Run) -> dict[str, int]:
    """Rows of each quantity for which the recorder kept an interval, in its order.

    The interval itself (steps by rows) is a mean, which misleads where rows are irregular: dense at the start, and
    again after something that is not finite. A count does not.
    """
    intervals = run.overhead.get("intervals")
    counts = {}
    for name in intervals if isinstance(intervals, dict) else ():
        if name == "histograms":
            counts[name] = max((len(run.histograms(kind)) for kind in run.histogram_names), default=0)
        else:
            series = next((one for one in (f"{name}/global", name) if one in run), None)
            counts[name] = len(run[series]) if series is not None else 0
    return counts


def thinned(run: Run) -> dict[str, int]:
    """The quantities that were measured at some of the steps only, and how many times each."""
    return {name: rows for name, rows in times_measured(run).items() if _THINNED * rows < run.steps}


def thinning_sentence(run: Run, most: int = 3) -> str:
    """Which quantities were measured how many times; empty when every one was measured at every step."""
    seldom = thinned(run)
    if not seldom:
        return ""
    listing = listed([f"{name.replace('_', ' ')} {counted(rows, 'time')}" for name, rows in seldom.items()], limit=most)
    return f"Thinned to keep the budget or as asked; measured in {counted(run.steps, 'step')}: {listing}."
