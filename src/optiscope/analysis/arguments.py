"""Whether what a caller passed as runs are runs."""

from __future__ import annotations

import os
from collections.abc import Iterable

from optiscope.errors import ArgumentError
from optiscope.runs import Run, RunSummary


def runs_of(given: object, *, what: str) -> tuple[Run, ...]:
    """`given` as a sequence of runs, of one when it is a run. `what` begins the message, such as "A comparison".

    Raises:
        ArgumentError: it is a path, no sequence, or holds something that is no run.
    """
    if isinstance(given, Run):
        return (given,)
    if isinstance(given, str | os.PathLike) or not isinstance(given, Iterable):
        raise _unsuited(given, what, "")
    several = tuple(given)
    for one in several:
        if not isinstance(one, Run):
            raise _unsuited(one, what, " among the runs")
    if not several:
        raise ArgumentError(f"{what} needs at least one run. Received none.")
    return several


def _unsuited(one: object, what: str, where: str) -> ArgumentError:
    hint = ""
    if isinstance(one, str | os.PathLike):
        hint = f" Open the folder of a run first: osc.open_run({os.fspath(one)!r})."
    elif isinstance(one, RunSummary):
        hint = " Open what a catalogue lists first: osc.open_run(summary.path)."
    shown = repr(one) if isinstance(one, str | os.PathLike) else type(one).__name__
    return ArgumentError(f"{what} needs a Run or a list of them.{hint} Received{where}: {shown}.")
