"""`optiscope report RUN…`: one self-contained page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Theme(StrEnum):
    """Colours of the page."""

    auto = "auto"
    light = "light"
    dark = "dark"


class Figures(StrEnum):
    """How much is drawn of each run."""

    all = "all"
    main = "main"


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of runs; several are compared.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the page.")] = Path("report.html"),
    title: Annotated[
        str | None, typer.Option(help="Title of the page. Default: made of the names of the runs.")
    ] = None,
    theme: Annotated[Theme, typer.Option(help="auto follows the reader's system.")] = Theme.auto,
    figures: Annotated[
        Figures | None, typer.Option(help="Figures of each run. Default: all for up to three runs, else the main ones.")
    ] = None,
) -> None:
    """Write one HTML page about a run, or about several compared: words, numbers and figures, offline."""
    from optiscope.cli.opening import open_given
    from optiscope.rendering.report import write_report
    from optiscope.rendering.report.wording import size

    written = write_report(
        [open_given(run, command="report") for run in runs],
        out,
        title=title,
        theme=theme.value,
        figures=None if figures is None else figures.value,
    )
    typer.echo(f"{written} ({size(written.stat().st_size)}) opens in any browser, without a network.")
