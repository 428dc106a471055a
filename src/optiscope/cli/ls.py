"""`optiscope ls`: the runs in a folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optiscope.runs import RunSummary


class Status(StrEnum):
    """What became of a run."""

    running = "running"
    finished = "finished"
    failed = "failed"
    terminated = "terminated"
    crashed = "crashed"
    unreadable = "unreadable"


def ls(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of runs. Default: runs/ if there is one, else the current folder.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--filter", metavar="GLOB", help="Only runs whose name matches, such as 'adam-*'.")
    ] = None,
    status: Annotated[Status | None, typer.Option(help="Only runs with this status.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only runs with this tag.")] = None,
    sort: Annotated[
        str,
        typer.Option(metavar="KEY", help="name, status, started, steps, seconds, or a metric such as loss."),
    ] = "name",
    descending: Annotated[bool, typer.Option("--descending", help="Largest or latest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
) -> None:
    """List the runs in a folder: how far they came, and the last value of each metric."""
    from optiscope.cli.output import print_json
    from optiscope.runs import runs

    where = folder or (Path("runs") if Path("runs").is_dir() else Path())
    catalogue = runs(where)
    filtered = catalogue.filter(name=name, status=None if status is None else status.value, tag=tag)
    found = _sorted(list(filtered), key=sort, descending=descending)
    if as_json:
        print_json([_as_mapping(run) for run in found])
    elif found:
        _print(found)
    else:
        typer.echo(f"No run in {where}{' matches' if len(catalogue) else ''}.", err=True)


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A value to sort by; runs that lack it come last in either direction."""

    run: RunSummary
    value: str | float | None


def _sorted(found: list[RunSummary], *, key: str, descending: bool) -> list[RunSummary]:
    from optiscope.errors import UnknownName

    attributes = {"name", "status", "started", "steps", "seconds"}
    metrics = {metric for run in found for metric in run.last}
    if key not in attributes | metrics and found:
        raise UnknownName.among(key, attributes | metrics, kind="key to sort by")
    keys = [_Key(run=run, value=_value(run, key, attributes)) for run in found]
    present = [item for item in keys if item.value is not None]
    present.sort(key=lambda item: item.value, reverse=descending)  # type: ignore[arg-type, return-value]
    return [item.run for item in present] + [item.run for item in keys if item.value is None]


def _value(run: RunSummary, key: str, attributes: set[str]) -> str | float | None:
    if key == "started":
        return run.started.timestamp()
    if key in attributes:
        value: str | float = getattr(run, key)
        return value
    last = run.last.get(key)
    return None if last is None or math.isnan(last) else last


def _print(found: Sequence[RunSummary]) -> None:
    from optiscope.analysis.wording import duration
    from optiscope.cli.output import Column, print_table, printable
    from optiscope.rendering.report.wording import number, share

    metrics = _metric_columns(found)
    tagged = any(run.tags for run in found)
    columns = [
        Column(title="name"),
        Column(title="status"),
        Column(title="started"),
        Column(title="steps", numeric=True),
        Column(title="time", numeric=True),
        *(Column(title=metric, numeric=True) for metric in metrics),
        Column(title="overhead", numeric=True),
        *([Column(title="tags")] if tagged else []),
    ]
    rows = [
        [
            run.name,
            run.status,
            f"{run.started.astimezone():%Y-%m-%d %H:%M}",
            f"{run.steps:,}",
            duration(run.seconds),
            *(number(run.last.get(metric)) for metric in metrics),
            share(run.overhead.get("fraction")),
            *([", ".join(run.tags)] if tagged else []),
        ]
        for run in found
    ]
    print_table(columns, rows)
    for run in found:
        if run.fault:
            typer.echo(printable(f"{run.name} is unreadable: {run.fault}"), err=True)


_METRIC_COLUMNS = 4
"""Metrics that fit beside the other columns; `--json` and `optiscope show` give all."""


def _metric_columns(found: Sequence[RunSummary]) -> list[str]:
    """Choose the metrics that most runs have; "loss" first."""
    counts: dict[str, int] = {}
    for run in found:
        for metric in run.last:
            counts[metric] = counts.get(metric, 0) + 1
    ranked = sorted(counts, key=lambda metric: (metric != "loss", -counts[metric], metric))
    return ranked[:_METRIC_COLUMNS]


def _as_mapping(run: RunSummary) -> dict[str, object]:
    return {
        "name": run.name,
        "path": run.path,
        "status": run.status,
        "started": run.started.isoformat(),
        "seconds": run.seconds,
        "steps": run.steps,
        "last": run.last,
        "tags": run.tags,
        "note": run.note,
        "config": run.config,
        "model": run.model,
        "optimizer": run.optimizer,
        "overhead": run.overhead,
        "fault": run.fault,
    }
