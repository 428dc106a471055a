"""A race as one page that needs no network: the verdict in words, the pictures, the tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from optiscope.analysis.wording import listed
from optiscope.errors import UnknownName
from optiscope.experiments.race.race import TARGET_SHARE
from optiscope.experiments.race.result import Entry, Race
from optiscope.experiments.race.simulation import settled_steps
from optiscope.figures.plot import plot, takes, view_names
from optiscope.figures.race_words import problem_sentence
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
    "phase": "Each coordinate against its change",
    "tuning": "Sensitivity to the learning rate",
    "reach": "How many starts reach the target",
}
"""Titles of the views within the page, whose own title says what the race is about."""
_TALL = frozenset({"contour", "surface", "internals"})
_INSIDE = 3
"""Optimizers whose state is shown."""
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
        if view == "internals":
            yield from _internals(race)
            continue
        yield Drawing(
            anchor=f"race-{view}",
            subject=f"view {view!r}",
            draw=_plotted(race, view),
            still=_still(race, view),
        )


def _internals(race: Race) -> Iterator[Drawing]:
    """What goes on inside the best few that carry a state, or inside the best where none does."""
    labels = [entry.label for entry in race.entries]
    stateful = [label for label in labels if race.paths_of(label)[0].internals]
    for place, label in enumerate((stateful or labels)[:_INSIDE], start=1):
        view: dict[str, object] = {"optimizer": label, "title": f"Inside {label}"}
        yield Drawing(
            anchor="race-internals" if place == 1 else f"race-internals-{place}",
            subject=f"view 'internals' of {label}",
            draw=_plotted(race, "internals", **view),
            still=_plotted(race, "internals", animated=False, filled=True, **view)
            if takes(race, "filled", view="internals")
            else _plotted(race, "internals", animated=False, **view),
        )


def _still(race: Race, view: str) -> Callable[[Literal["light", "dark"]], go.Figure] | None:
    """The view of a moving figure without its frames, with the same traces."""
    if not takes(race, "animated", view=view):
        return None
    same = {"filled": True} if takes(race, "filled", view=view) else {}
    return _plotted(race, view, animated=False, **same)


def _plotted(race: Race, view: str, **visual: object) -> Callable[[Literal["light", "dark"]], go.Figure]:
    if view in _TITLES and "title" not in visual and takes(race, "title", view=view):
        visual["title"] = _TITLES[view]

    def build(theme: Literal["light", "dark"]) -> go.Figure:
        figure = plot(race, view=view, theme=theme, **visual)
        if view in _TALL and figure.layout.height is None:
            figure.layout.height = _HEIGHT
        return figure

    return build


def _subtitle(race: Race) -> str:
    names = [entry.label for entry in race.entries]
    said = " ".join(problem_sentence(race, race.title))
    return f"{listed(names, limit=6)} on {race.problem.title}. {said}".strip()


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
        yield Tile(name="Target", value=number(race.target), detail=_origin_of_target(race))
    lost = sum(path.diverged_at is not None for path in race.paths)
    if lost:
        yield Tile(name="Diverged", value=f"{lost} of {len(race.paths)}", detail="paths", warning=True)


def _statements(race: Race) -> Iterator[Statement]:
    """Who is ahead and by how much, who reached the target how often, and the notes of the race."""
    yield from (Statement(kind="fact", text=text) for text in verdict(race))
    tied = [entry.label for entry in race.entries if entry.rank == 1]
    for note in race.notes:
        # That the first are tied is what the verdict begins with.
        if len(tied) > 1 and note.endswith(f" from {tied[0]}: a tie."):
            continue
        yield Statement(kind="warning" if " diverges" in note else "fact", text=note)


def verdict(race: Race) -> Iterator[str]:
    """The outcome in sentences. The first say who is ahead, or that nobody demonstrably is.

    The loss of an optimizer is always the median over its paths of what the race is ranked by.
    """
    if not race.entries:
        return
    first = [entry for entry in race.entries if entry.rank == 1]
    best = first[0]
    extent = f"after {counted(race.steps, 'step')}"
    if all(entry.settled.min() == math.inf for entry in race.entries):
        yield f"Every path diverged within {counted(race.steps, 'step')}: there is no winner."
        return
    names = listed([entry.label for entry in first], limit=8)
    if len(first) == len(race.entries) > 1:
        yield f"Nobody wins {extent}: {names} do not differ demonstrably, {_losses(first)} {_measure(race)}."
    elif len(first) > 1:
        yield (
            f"{names} share the first place {extent}, as they do not differ demonstrably: "
            f"{_losses(first)} {_measure(race)}."
        )
    elif len(race.entries) > 1:
        second = next(entry for entry in race.entries if entry.rank > 1)
        yield (
            f"{best.label} comes first {extent}: loss {number(_end(best))} {_measure(race)}; "
            f"next is {second.label} with {_or_divergence(second)}."
        )
    else:
        yield f"{best.label} has loss {number(_end(best))} {_measure(race)}, {extent}."
    yield from _reaching(race)


def _reaching(race: Race) -> Iterator[str]:
    """Who reaches the target most and least often: everybody whom that holds of."""
    shares = {entry.label: _share_reached(entry) for entry in race.entries if entry.reached is not None}
    if not any(len(entry.reached) for entry in race.entries if entry.reached is not None) or race.target is None:
        return
    highest, lowest = max(shares.values()), min(shares.values())
    most = [label for label, value in shares.items() if value == highest]
    least = [label for label, value in shares.items() if value == lowest]
    spread = "Of starts spread over the domain,"
    if highest == lowest:
        who = f"{listed(most, limit=8)} each reach" if len(most) > 1 else f"{most[0]} reaches"
        yield f"{spread} {who} the target from {share(highest)}."
        return
    verb = "reaches" if len(most) == 1 else "reach"
    yield (
        f"{spread} {listed(most, limit=8)} {verb} the target most often, from {share(highest)} of them, "
        f"and {listed(least, limit=8)} least often, from {share(lowest)}."
    )


def _measure(race: Race) -> str:
    """What the losses of the verdict are."""
    paths = len(race.starts) * len(race.seeds)
    tail = counted(settled_steps(race.steps), "step")
    last = f"mean of the last {tail}" if settled_steps(race.steps) > 1 else "last step"
    return f"at the end ({f'median of {paths:,} paths, ' if paths > 1 else ''}{last})"


def _end(entry: Entry) -> float:
    return median(entry.settled)


def _losses(entries: list[Entry]) -> str:
    ends = list(dict.fromkeys(number(_end(entry)) for entry in entries))
    return f"loss {ends[0]}" if len(ends) == 1 else f"losses {listed(ends, limit=8)}"


def _or_divergence(entry: Entry) -> str:
    end = _end(entry)
    return "a divergence" if end == math.inf else number(end)


def _share_reached(entry: Entry) -> float:
    return 0.0 if entry.reached is None or not len(entry.reached) else float((entry.reached < math.inf).mean())


def _origin_of_target(race: Race) -> str:
    """Where the target comes from."""
    lowest = race.problem.minimum
    if race.target is None or not math.isfinite(lowest):
        return "loss, as asked"
    with np.errstate(all="ignore"):
        usual = float(lowest + TARGET_SHARE * (race.problem.value(race.starts[0]) - lowest))
    asked = not math.isclose(race.target, usual, rel_tol=1e-9, abs_tol=1e-300)
    return "loss, as asked" if asked else "a thousandth of the way above the known minimum"
