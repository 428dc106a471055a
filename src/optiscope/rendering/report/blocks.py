"""What a page is made of: sections with tiles, statements, figures and tables. Plain values, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from optiscope.rendering.report.statements import Statement


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number that is seen first."""

    name: str
    """What the number is."""
    value: str
    """The number with its unit."""
    detail: str = ""
    """What one must know to read it."""
    warning: bool = False
    """Whether it stands out in red."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of one column."""

    title: str
    """What is in the column, with its unit."""
    numeric: bool = False
    """Whether it is aligned to the right."""


@dataclass(frozen=True, kw_only=True)
class TableBlock:
    """One table that unfolds."""

    id: str
    """Anchor, unique in the page."""
    title: str
    """What the table holds."""
    columns: tuple[Heading, ...]
    """The columns."""
    rows: tuple[tuple[str, ...], ...]
    """The cells, one for each column; the first names the row."""
    note: str = ""
    """What one must know to read it."""
    open: bool = False
    """Whether it is unfolded at first."""


@dataclass(frozen=True, kw_only=True)
class FigureBlock:
    """One figure."""

    id: str
    """Anchor, unique in the page."""
    title: str = ""
    """Title for the contents; empty when it could not be drawn."""
    html: Markup = field(default_factory=Markup)
    """The figure as safe HTML; empty when it could not be drawn."""
    note: str = ""
    """What one must know to read it, or why it is not there."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One run, or the comparison of several."""

    id: str
    """Anchor, unique in the page."""
    title: str
    """Name of the run, or what is compared."""
    tiles: tuple[Tile, ...] = ()
    """The numbers that are seen first."""
    statements: tuple[Statement, ...] = ()
    """The summary in words."""
    leading_tables: tuple[TableBlock, ...] = ()
    """Tables before the figures."""
    figures: tuple[FigureBlock, ...] = ()
    """The figures."""
    tables: tuple[TableBlock, ...] = ()
    """Tables after the figures."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole report."""

    title: str
    """Title of the page."""
    subtitle: str
    """What it is about, in a sentence."""
    theme: str
    """"auto", "light" or "dark"."""
    version: str
    """Version of Optiscope that wrote it."""
    written: str
    """When it was written; empty for a page that is the same whenever it is written."""
    note: str
    """What was left out of the page to keep it small; may be empty."""
    sections: tuple[Section, ...]
    """The sections, a comparison first."""


def table(
    anchor: str,
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[str] = (),
    note: str = "",
    unfolded: bool = False,
) -> TableBlock:
    """Build a table; `numeric` names the headings of columns that are aligned to the right."""
    return TableBlock(
        id=anchor,
        title=title,
        columns=tuple(Heading(title=heading, numeric=heading in numeric) for heading in headings),
        rows=tuple(tuple(row) for row in rows),
        note=note,
        open=unfolded,
    )
