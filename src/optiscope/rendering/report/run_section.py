"""The section of a page about one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optiscope.analysis.wording import duration
from optiscope.figures.metrics import metric_names
from optiscope.rendering.report.blocks import Section, Tile
from optiscope.rendering.report.facts import facts
from optiscope.rendering.report.figure_list import Theme, draw, run_drawings
from optiscope.rendering.report.run_tables import run_tables
from optiscope.rendering.report.statements import statements
from optiscope.rendering.report.wording import number, share
from optiscope.runs import Run

_METRIC_TILES = 3


def run_section(run: Run, prefix: str, theme: Theme, *, every: bool, beside: Sequence[Run] = ()) -> Section:
    """Everything about `run`; `prefix` begins its anchors, `every` asks for all figures.

    `beside` are all runs of the page. Tables of a run that is alone are unfolded.
    """
    return Section(
        id=prefix,
        title=run.name,
        tiles=tuple(_tiles(run)),
        statements=statements(run),
        figures=draw(run_drawings(run, prefix, every=every, beside=beside), theme),
        tables=run_tables(run, prefix, unfolded=len(beside) <= 1),
    )


def _tiles(run: Run) -> Iterator[Tile]:
    yield Tile(name="Status", value=run.status, warning=run.status in {"failed", "crashed"})
    yield Tile(name="Steps", value=f"{run.steps:,}")
    yield Tile(name="Time", value=duration(run.seconds))
    for name in metric_names(run)[:_METRIC_TILES]:
        one = facts(run[name])
        if one.recent is None:
            yield Tile(name=name, value=number(one.last), warning=bool(one.nonfinite))
            continue
        yield Tile(
            name=name,
            value=number(one.recent),
            detail="mean of the last twentieth" if one.averaged > 1 else "last value",
            warning=bool(one.nonfinite),
        )
    fraction = run.overhead.get("fraction")
    if fraction is not None:
        budget = run.overhead.get("budget")
        yield Tile(
            name="Recording took", value=share(fraction), detail=f"budget {share(budget)}" if budget else "no budget"
        )
