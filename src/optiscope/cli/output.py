"""How commands print: tables for people, plain columns for pipes, strict JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    """What the column holds, with its unit."""
    numeric: bool = False
    """Whether it is aligned to the right."""


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table: drawn with lines on a terminal, aligned plain text without any cut when piped.

    Cells are the words of users (names, notes): they are never read as markup, and control characters are escaped.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells, title)
    else:
        _print_plain(columns, cells, title)


def _print_rich(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(Text(column.title), justify="right" if column.numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


def _print_plain(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str) -> None:
    table = [[column.title for column in columns], *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(columns))]
    if title:
        typer.echo(title)
    for row in table:
        fields = (
            cell.rjust(width) if column.numeric else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        typer.echo("  ".join(fields).rstrip())


def printable(text: str) -> str:
    """Escape what would move the cursor or colour the terminal of whoever lists a stranger's run."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def print_json(value: object) -> None:
    """Print `value` as JSON on stdout, and nothing else. NaN and infinity, which JSON lacks, become strings."""
    from optiscope.runs.json_form import to_json

    typer.echo(json.dumps(to_json(value), indent=2, ensure_ascii=False, allow_nan=False))


def steps_progress(unit: str = "steps") -> Progress:
    """Make a progress bar for long work on stderr: what, how far, steps (or another unit) a second, time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class StepRate(ProgressColumn):
        """Steps a second."""

        def render(self, task: Task) -> Text:
            """Show the rate of the last seconds, and nothing before there is one."""
            return Text("" if task.speed is None else f"{task.speed:,.0f} {unit}/s", style="progress.data.speed")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit, style="progress.data.speed"),
        StepRate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
