"""`optiscope report RUN…`: one self-contained page."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Theme(str, Enum):
    """Colours of the page."""

    auto = "auto"
    light = "light"
    dark = "dark"


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of runs; several are compared.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the page.")] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="Title of the page. Default: made of the names of the runs.")] = None,
    theme: Annotated[Theme, typer.Option(help="auto follows the reader's system.")] = Theme.auto,
) -> None:
    """Write one HTML page about a run, or about several compared: words, numbers and all figures, offline, in one file."""
    from optiscope.rendering.report import write_report
    from optiscope.rendering.report.wording import size
    from optiscope.runs import open_run

    written = write_report([open_run(run) for run in runs], out, title=title, theme=theme.value)
    typer.echo(f"{written} ({size(written.stat().st_size)}) opens in any browser, without a network.")
