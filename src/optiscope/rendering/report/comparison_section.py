"""The section of a page that compares several runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optiscope.analysis.comparison import Comparison, compare
from optiscope.analysis.final import FINAL
from optiscope.analysis.wording import duration
from optiscope.errors import OptiscopeError
from optiscope.figures.metrics import metric_names
from optiscope.rendering.report.blocks import Section, TableBlock, table
from optiscope.rendering.report.facts import facts
from optiscope.rendering.report.figure_list import Theme, anchored, comparison_drawings, draw
from optiscope.rendering.report.run_tables import flattened, shown
from optiscope.rendering.report.statements import Statement
from optiscope.rendering.report.wording import number, share
from optiscope.runs import Run

_MEASURED = ("gradient_norm/global", "update_ratio/global", "weight_norm/global")
"""Measured series that are drawn beside the metrics. Small or large is neither good nor bad in them, so none wins."""
_MOST_METRICS = 8


def comparison_section(runs: Sequence[Run], theme: Theme) -> Section:
    """The runs side by side: what differs between them, how each metric came out, and the figures that show all."""
    metrics = _common(runs)
    outcomes = [_compared(runs, name) for name in metrics]
    judged = [one for one in outcomes if isinstance(one, Comparison)]
    refused = [reason for reason in outcomes if isinstance(reason, str)]
    measured = [name for name in _MEASURED if all(name in run for run in runs)]
    return Section(
        id="comparison",
        title=f"Comparison of {len(runs)} runs",
        statements=(
            *(Statement(kind="fact", text=one.verdict) for one in judged if one.verdict),
            *_limits(judged),
            *(Statement(kind="notice", text=reason) for reason in refused),
            *_unshared(runs, metrics),
        ),
        leading_tables=(_runs_table(runs, metrics), *(_comparison_table(one) for one in judged)),
        figures=draw(comparison_drawings(runs, judged, measured), theme),
    )


def _common(runs: Sequence[Run]) -> list[str]:
    """Metrics that every run has, "loss" first."""
    shared = [name for name in metric_names(runs[0]) if all(name in run and not run[name].labels for run in runs)]
    return sorted(shared, key=lambda name: name != "loss")[:_MOST_METRICS]


def _compared(runs: Sequence[Run], name: str) -> Comparison | str:
    """The comparison in the metric `name`, or the reason why there is none."""
    try:
        return compare(runs, metric=name)
    except OptiscopeError as error:
        return f"{name} is not compared. {error}"


def _limits(comparisons: Sequence[Comparison]) -> Iterator[Statement]:
    """How the comparisons came about; what holds of one metric only says of which."""
    said = dict.fromkeys(sentence for one in comparisons for sentence in one.sentences)
    for sentence in said:
        metrics = [one.metric for one in comparisons if sentence in one.sentences]
        of = "" if len(metrics) == len(comparisons) else f"{', '.join(metrics)}: "
        yield Statement(kind="fact", text=f"{of}{sentence}")


def _unshared(runs: Sequence[Run], common: Sequence[str]) -> Iterator[Statement]:
    every = dict.fromkeys(name for run in runs for name in metric_names(run))
    missing = [name for name in every if name not in common]
    if missing:
        yield Statement(kind="notice", text=f"Not compared, for not every run has it: {', '.join(missing)}.")


def _runs_table(runs: Sequence[Run], metrics: Sequence[str]) -> TableBlock:
    settings = [dict(flattened(run.config)) for run in runs]
    keys = dict.fromkeys(key for each in settings for key in each)
    differing = [key for key in keys if len({shown(each.get(key)) for each in settings}) > 1]
    numbers = ("steps", "time", *(f"{metric} at the end" for metric in metrics), "recording took")
    rows = [
        (
            run.name,
            run.status,
            *(shown(each[key]) if key in each else "–" for key in differing),
            f"{run.steps:,}",
            duration(run.seconds),
            *(_end(run, metric) for metric in metrics),
            share(run.overhead.get("fraction")),
        )
        for run, each in zip(runs, settings, strict=True)
    ]
    same = [f"{key} {shown(settings[0][key])}" for key in keys if key not in differing]
    return table(
        "comparison-runs",
        "The runs, and the settings in which they differ",
        ("run", "status", *differing, *numbers),
        rows,
        numeric=numbers,
        note=("The same in all: " + ", ".join(same) + ". " if same else "") + f"At the end: {FINAL}.",
        unfolded=True,
    )


def _end(run: Run, metric: str) -> str:
    return number(facts(run[metric]).recent)


def _comparison_table(comparison: Comparison) -> TableBlock:
    rows = comparison.rows()
    headings = tuple(rows[0]) if rows else ()
    return table(
        f"comparison-table-{anchored(comparison.metric)}",
        f"{comparison.metric}: groups of runs that differ only in their seed",
        headings,
        [tuple(_cell(value) for value in row.values()) for row in rows],
        numeric=[heading for heading in headings if heading not in {"group", "judgement"}],
        note=f"Final: {FINAL}, averaged over the runs of the group.",
        unfolded=comparison.metric == "loss",
    )


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return shown(value)
    return number(value) if value is None or isinstance(value, int | float) else str(value)
