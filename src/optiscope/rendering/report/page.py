"""`write_report`: one self-contained page about a run, or about several compared."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from optiscope.analysis.arguments import runs_of
from optiscope.errors import ArgumentError, UnknownName
from optiscope.rendering.html import plotly_script
from optiscope.rendering.report.blocks import Page, Section
from optiscope.rendering.report.comparison_section import comparison_section
from optiscope.rendering.report.lazy_figure import templates_json
from optiscope.rendering.report.run_section import run_section
from optiscope.rendering.target import path_of
from optiscope.runs import Run
from optiscope.runs.run_file import replace_file

_FULL_RUNS = 3
"""Up to so many runs, each section holds every figure unless the caller says otherwise."""

_SUFFIXES = (".html", ".htm")
_THEMES = ("auto", "light", "dark")
_SELECTIONS = ("all", "main")


def write_report(
    runs: Run | Sequence[Run],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    theme: Literal["auto", "light", "dark"] = "auto",
    figures: Literal["all", "main"] | None = None,
) -> Path:
    """Write one HTML page that needs no network: words, numbers and figures about a run, or about several compared.

    Several runs are compared first; then each has a section of its own. Figures are drawn when they come into view, so
    that a page with many runs opens at once. The page follows the reader's system into dark colours, prints, and works
    on a telephone.

    Args:
        runs: A run, or several; the order is kept.
        path: Where to write; its folder must exist. A file that is there is replaced in one move.
        title: Title of the page. By default the name of the run, or how many are compared.
        theme: "light", "dark", or "auto" for the reader's own.
        figures: "all" draws everything of each run; "main" its overview only. By default all for up to three runs, the
            overviews for more, which the page then says.

    Returns:
        The path that was written.

    Raises:
        ArgumentError: There is no run, the file is no .html, or its folder does not exist.
        UnknownName: No such theme or selection of figures.
    """
    every = runs_of(runs, what="A report")
    target = path_of(path, what="A report")
    _check(target, theme, figures)
    full = figures == "all" or (figures is None and len(every) <= _FULL_RUNS)
    page = _page(every, title=title, theme=theme, full=full)
    replace_file(target, render_page(page).encode("utf-8"), durable=False)
    return target


def _check(target: Path, theme: str, figures: str | None) -> None:
    if theme not in _THEMES:
        raise UnknownName.among(theme, _THEMES, kind="theme of a report")
    if figures is not None and figures not in _SELECTIONS:
        raise UnknownName.among(figures, _SELECTIONS, kind="selection of figures")
    if not target.parent.is_dir():
        raise ArgumentError(f"The folder of the report does not exist; create it first. Received: {str(target)!r}.")
    if target.is_dir():
        raise ArgumentError(
            f"The report is a file, and this is a folder; name a file in it. Received: {str(target)!r}."
        )
    if target.suffix.lower() not in _SUFFIXES:
        raise ArgumentError(
            f"A report is one web page: name a file that ends in .html or .htm, and print it to PDF in a browser; "
            f"single figures are saved as .pdf by osc.save. Received: {str(target)!r}."
        )


def _page(runs: tuple[Run, ...], *, title: str | None, theme: Literal["auto", "light", "dark"], full: bool) -> Page:
    from optiscope import __version__

    sections: list[Section] = []
    if len(runs) > 1:
        sections.append(comparison_section(runs, theme))
    sections += [
        run_section(run, f"run-{index}", theme, every=full, beside=runs) for index, run in enumerate(runs, start=1)
    ]
    return Page(
        title=title or (runs[0].name if len(runs) == 1 else f"{len(runs)} runs compared"),
        subtitle=_subtitle(runs),
        theme=theme,
        version=__version__,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        note="" if full else "Each run is shown by its overview; optiscope report RUN… --figures all draws everything.",
        sections=tuple(sections),
    )


def _subtitle(runs: tuple[Run, ...]) -> str:
    began = min(run.started for run in runs)
    models = list(dict.fromkeys(str(run.model["name"]) for run in runs if run.model.get("name")))
    subject = f" of {', '.join(models[:3])}" if models else ""
    count = "A training run" if len(runs) == 1 else f"{len(runs)} training runs"
    return f"{count}{subject}, started {began:%Y-%m-%d %H:%M} UTC."


def render_page(page: Page) -> str:
    """The page as one HTML file."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("optiscope.rendering", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = Path(__file__).parent.parent / "templates"
    return environment.get_template("report.html.j2").render(
        page=page,
        css=Markup((folder / "report.css").read_text(encoding="utf-8")),
        javascript=Markup((folder / "report.js").read_text(encoding="utf-8")),
        plotly=Markup(plotly_script()),
        templates=templates_json(),
    )
