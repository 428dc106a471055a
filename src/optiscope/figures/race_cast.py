"""Who of a race has a colour and a name in the legend, and who stays in the background."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from optiscope.experiments.race.result import Race
from optiscope.figures.colours import Colours, Stroke, assign_colours, blend
from optiscope.figures.landscape import Area
from optiscope.figures.race_paths import DrawnPath, fate_of
from optiscope.figures.theme import Theme

ALL = 8
"""Optimizers that can each have a colour of their own."""
EMPHASISED = 6
"""Of more, so many have one: the best."""
OTHERS = "the others"
"""Group in the legend of those that have none."""
_LONG = 30
"""Letters from which on a label is shortened."""
_CALL = re.compile(r"\b\w+=([A-Za-z_]\w*)\([^()]*\)")
"""A setting that is a call itself, such as a schedule."""


def principals(race: Race) -> list[str]:
    """The labels that have a colour, best first: all of a few, the best of many."""
    labels = [entry.label for entry in race.entries]
    return labels if len(labels) <= ALL else labels[:EMPHASISED]


def extras(race: Race) -> list[str]:
    """The labels that are drawn thin and grey."""
    return [entry.label for entry in race.entries][len(principals(race)) :]


def extras_name(race: Race) -> str:
    """What the legend calls them together."""
    return f"{len(extras(race))} others"


def strokes_of(race: Race, theme: Theme, colours: Colours | None = None) -> dict[str, Stroke]:
    """Colour and dash of each optimizer; a colour that was given counts for those in the background too."""
    grey = Stroke(colour=blend(theme.muted, theme.background, 0.55))
    strokes = assign_colours(principals(race), theme, colours)
    for label in extras(race):
        given = colours.get(label) if colours else None
        strokes[label] = grey if given is None else Stroke(colour=given) if isinstance(given, str) else given
    return strokes


def legend_label(race: Race, label: str, area: Area | None = None) -> str:
    """Name of an optimizer in a legend, with what became of it: of paths that diverge or that end outside `area`."""
    fate = fate_of(race, label, area)
    name = short_label(race, label)
    return f"{name} ({fate})" if fate else name


def short_label(race: Race, label: str) -> str:
    """A long label without the settings of its schedules, or cut; whole where that would make two of them alike."""
    shortened = _shortened(label)
    alike = [entry.label for entry in race.entries if _shortened(entry.label) == shortened]
    return shortened if len(alike) <= 1 else label


def _shortened(label: str) -> str:
    if len(label) <= _LONG:
        return label
    text = _CALL.sub(r"\1 …", label)
    return text if len(text) <= _LONG + 6 else f"{text[: _LONG + 4].rstrip(', ')} …"


def crowd_sentence(race: Race) -> list[str]:
    """What those in the background are, where there are any."""
    if not extras(race):
        return []
    return [f"The best {EMPHASISED} are in colour, {extras_name(race)} in grey."]


def joined_rows(several: Sequence[DrawnPath]) -> list[Any]:
    """Paths for one trace, between which there are gaps: for each row its path and place, or None for a gap."""
    rows: list[Any] = []
    for drawn in several:
        rows += [*((drawn, place) for place in range(len(drawn.points))), None]
    return rows[:-1]
