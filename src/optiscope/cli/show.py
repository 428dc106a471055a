"""`optiscope show RUN`: what is in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optiscope.rendering.report.facts import Facts
    from optiscope.runs import Run


_MARKS = {"fact": " ", "notice": "•", "warning": "!"}


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
) -> None:
    """Show one run: a summary in words, its series with their extremes, what was lost, and what recording cost."""
    from optiscope.cli.opening import open_given
    from optiscope.rendering.report.facts import facts

    opened = open_given(run, command="show")
    every = [facts(opened[name]) for name in opened.names]
    if as_json:
        _print_json(opened, every)
    else:
        _print(opened, every)


def _print_json(run: Run, every: list[Facts]) -> None:
    from optiscope.cli.output import print_json
    from optiscope.rendering.report.statements import statements

    print_json(
        {
            "name": run.name,
            "path": run.path,
            "status": run.status,
            "started": run.started.isoformat(),
            "seconds": run.seconds,
            "steps": run.steps,
            "summary": statements(run),
            "config": run.config,
            "tags": run.tags,
            "note": run.note,
            "model": run.model,
            "optimizers": run.optimizers,
            "environment": run.environment,
            "overhead": run.overhead,
            "series": every,
            "histograms": run.histogram_names,
            "snapshots": run.snapshots.steps,
            "events": run.events,
            "losses": {**vars(run.losses), "sentences": run.losses.sentences()},
        }
    )


def _print(run: Run, every: list[Facts]) -> None:
    from optiscope.cli.output import Column, print_table, printable
    from optiscope.rendering.report.statements import statements
    from optiscope.rendering.report.wording import number

    typer.echo(printable(f"{run.name} ({run.path})"))
    for statement in statements(run):
        typer.echo(f"  {_MARKS[statement.kind]} {printable(statement.text)}")
    columns = [
        Column(title="series"),
        *(
            Column(title=title, numeric=True)
            for title in ("labels", "rows", "steps", "first", "last", "lowest", "at", "highest", "at", "not finite")
        ),
    ]
    rows = [
        [
            one.name,
            str(one.labels) if one.labels else "",
            f"{one.rows:,}",
            "" if one.first_step is None else f"{one.first_step}–{one.last_step}",
            number(one.first) if not one.labels else "",
            number(one.last) if not one.labels else "",
            number(one.minimum),
            "" if one.minimum_step is None else str(one.minimum_step),
            number(one.maximum),
            "" if one.maximum_step is None else str(one.maximum_step),
            f"{one.nonfinite:,}",
        ]
        for one in every
    ]
    typer.echo()
    print_table(columns, rows)
    typer.echo()
    if run.histogram_names:
        typer.echo(f"Histograms: {', '.join(run.histogram_names)}.")
    typer.echo(f"Snapshots of all parameters: {len(run.snapshots)}.")
    typer.echo(f"All of it as figures: optiscope report {run.path}")
