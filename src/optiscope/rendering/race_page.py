"""A race as one page that needs no network: the verdict in words, the pictures, the tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from optiscope.analysis.wording import listed
from optiscope.errors import UnknownName
from optiscope.experiments.race.result import Entry, Race
from optiscope.figures.plot import plot, takes, view_names
from optiscope.rendering.race_tables import median, point_text, result_table, settings_table, tuning_tables
from optiscope.rendering.report.blocks import Page, Section, Tile
from optiscope.rendering.report.figure_list import Drawing, Theme, draw
from optiscope.rendering.report.page import render_page
from optiscope.rendering.report.statements import Statement
from optiscope.rendering.report.wording import number, share
from optiscope.runs.wording import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go

_THEMES = ("auto", "light", "dark")
_TITLES = {
    "contour": "The paths from above",
    "surface": "The paths on the surface",
    "fit": "Loss per iteration and per epoch",
    "curves": "Step by step",
    "internals": "What the optimizers keep in mind",
    "phase": "Each coordinate against its change",
    "tuning": "Sensitivity to the learning rate",
    "reach": "How many starts reach the target",
}
"""Titles of the views within the page, whose own title says what the race is about."""
_TALL = frozenset({"contour", "surface", "internals"})
_HEIGHT = 680
"""CSS pixels of a picture of the plane with its slider."""


def race_page(race: Race, *, theme: Theme = "auto", title: str | None = None) -> str:
    """Everything about a race as one HTML page.

    It holds every view that `optiscope.plot` has of a race; one that cannot be drawn is replaced by the reason.
    Figures are drawn when they come near the window. The same race gives the same bytes.

    Args:
        race: the race.
        theme: "light", "dark", or "auto" for the reader's own.
        title: in place of that of the race.

    Raises `UnknownName` for another theme.
    """
    from optiscope import __version__

    if theme not in _THEMES:
        raise UnknownName.among(theme, _THEMES, kind="theme of a page")
    heading = title or race.title
    section = Section(
        id="race",
        title=heading,
        tiles=tuple(_tiles(race)),
        statements=tuple(_statements(race)),
        leading_tables=(result_table(race),),
        figures=draw(drawings(race), theme),
        tables=(settings_table(race), *tuning_tables(race)),
    )
    return render_page(
        Page(
            title=heading,
            subtitle=_subtitle(race),
            theme=theme,
            version=__version__,
            written="",
            note="",
            sections=(section,),
        )
    )


def drawings(race: Race) -> Iterator[Drawing]:
    """Every view of a race."""
    for view in view_names(race):
        yield Drawing(
            anchor=f"race-{view}",
            subject=f"view {view!r}",
            draw=_plotted(race, view),
            still=_still(race, view),
        )


def _still(race: Race, view: str) -> Callable[[Literal["light", "dark"]], go.Figure] | None:
    """The view of a moving figure without its frames, with the same traces."""
    if not takes(race, "animated", view=view):
        return None
    same = {"filled": True} if takes(race, "filled", view=view) else {}
    return _plotted(race, view, animated=False, **same)


def _plotted(race: Race, view: str, **visual: object) -> Callable[[Literal["light", "dark"]], go.Figure]:
    if view in _TITLES and takes(race, "title", view=view):
        visual["title"] = _TITLES[view]

    def build(theme: Literal["light", "dark"]) -> go.Figure:
        figure = plot(race, view=view, theme=theme, **visual)
        if view in _TALL and figure.layout.height is None:
            figure.layout.height = _HEIGHT
        return figure

    return build


def _subtitle(race: Race) -> str:
    names = [entry.label for entry in race.entries]
    formula = f": f = {race.problem.formula}" if race.problem.formula else ""
    return f"{listed(names, limit=6)} on {race.problem.title}{formula}."


def _tiles(race: Race) -> Iterator[Tile]:
    dimensions = counted(race.problem.dimension, "coordinate")
    yield Tile(name="Problem", value=race.problem.title, detail=dimensions)
    yield Tile(name="Steps", value=f"{race.steps:,}")
    start = point_text(race.starts[0]) if len(race.starts) == 1 else "all run from each"
    yield Tile(name="Start" if len(race.starts) == 1 else "Starts", value=f"{len(race.starts):,}", detail=start)
    if len(race.seeds) > 1:
        yield Tile(name="Seeds of the noise", value=f"{len(race.seeds):,}", detail="the same for all")
    tuned = sum(entry.tuning is not None for entry in race.entries)
    if tuned:
        yield Tile(name="Trials for each", value=f"{race.trials:,}", detail=f"{tuned} of {len(race.entries)} tuned")
    if race.target is not None:
        yield Tile(name="Target", value=number(race.target), detail="loss")
    lost = sum(path.diverged_at is not None for path in race.paths)
    if lost:
        yield Tile(name="Diverged", value=f"{lost} of {len(race.paths)}", detail="paths", warning=True)


def _statements(race: Race) -> Iterator[Statement]:
    """Who is ahead and by how much, who reached the target how often, and the notes of the race."""
    yield from (Statement(kind="fact", text=text) for text in verdict(race))
    for note in race.notes:
        yield Statement(kind="warning" if " diverges" in note else "fact", text=note)


def verdict(race: Race) -> Iterator[str]:
    """The outcome in sentences. The first say who is ahead, or that nobody demonstrably is."""
    if not race.entries:
        return
    first = [entry for entry in race.entries if entry.rank == 1]
    best = first[0]
    extent = _extent(race)
    if all(entry.final.min() == math.inf for entry in race.entries):
        yield f"Every path diverged within {counted(race.steps, 'step')}: there is no winner."
        return
    if len(first) == len(race.entries) > 1:
        names = listed([entry.label for entry in first], limit=8)
        yield f"Nobody wins {extent}: {names} cannot be told apart, {_losses(first)}."
    elif len(first) > 1:
        names = listed([entry.label for entry in first], limit=8)
        yield f"{names} share the first place {extent}: {_losses(first)}."
    elif len(race.entries) > 1:
        second = next(entry for entry in race.entries if entry.rank > 1)
        yield (
            f"{best.label} ends lowest {extent}: {number(_end(best))}, before {second.label} with "
            f"{_or_divergence(second)}."
        )
    else:
        yield f"{best.label} ends at {number(_end(best))} {extent}."
    asked = [entry for entry in race.entries if entry.reached is not None and len(entry.reached)]
    if asked and race.target is not None:
        shares = {entry.label: _share_reached(entry) for entry in asked}
        most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
        text = (
            f"Of starts spread over the domain {most} reaches the target most often, from {share(shares[most])} of them"
        )
        yield text + (f", and {least} least often, from {share(shares[least])}." if least != most else ".")


def _extent(race: Race) -> str:
    paths = len(race.starts) * len(race.seeds)
    return f"after {counted(race.steps, 'step')}" + (f", in the median of {paths:,} paths" if paths > 1 else "")


def _end(entry: Entry) -> float:
    return median(entry.final)


def _losses(entries: list[Entry]) -> str:
    ends = list(dict.fromkeys(number(_end(entry)) for entry in entries))
    return f"loss {ends[0]}" if len(ends) == 1 else f"losses {listed(ends, limit=8)}"


def _or_divergence(entry: Entry) -> str:
    end = _end(entry)
    return "a divergence" if end == math.inf else number(end)


def _share_reached(entry: Entry) -> float:
    return 0.0 if entry.reached is None else float((entry.reached < math.inf).mean())
