"""Colours of several runs that agree with the groups they are compared in."""

from __future__ import annotations

from collections.abc import Sequence

from optiscope.analysis.grouping import group_runs
from optiscope.figures.colours import DASHES, Stroke, assign_colours
from optiscope.figures.theme import Theme
from optiscope.runs import Run


def run_strokes(runs: Sequence[Run], theme: Theme) -> dict[str, Stroke]:
    """A stroke by run name: in the colour of the run's group, the repetitions under other seeds told apart by dash."""
    groups = group_runs(runs)
    of_group = assign_colours([group.label for group in groups], theme)
    return {
        run.name: Stroke(colour=of_group[group.label].colour, dash=_dash(of_group[group.label].dash, index))
        for group in groups
        for index, run in enumerate(group.runs)
    }


def _dash(first: str, index: int) -> str:
    return DASHES[(DASHES.index(first) + index) % len(DASHES)]
