"""Which colour a run or a group has: the same in every figure."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optiscope.figures.theme import Scale, Theme

DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """How the line of one run or group is drawn."""

    colour: str
    """As "#rrggbb"."""
    dash: str = "solid"
    """Plotly's dash style: with more names than colours, the second lot is dashed."""


Colours = Mapping[str, str | Stroke]
"""Colours, or whole strokes, by the name of a run or a group."""


def assign_colours(names: Iterable[str], theme: Theme, given: Colours | None = None) -> dict[str, Stroke]:
    """Give each name a stroke of its own.

    A name's colour is chosen by the name itself, so a run looks the same alone and among others, in any order, today
    and tomorrow. Only when two names ask for one colour does the later in alphabetical order get the next free one:
    pass the colours that were assigned to all names as `given` where even that must not differ between figures.
    """
    unique = sorted(dict.fromkeys(names))
    slots = len(theme.palette)
    taken: dict[int, str] = {}
    for name in unique:
        # The last colour is grey: it serves when the others are taken, but nobody asks for it.
        wanted = zlib.crc32(name.encode()) % (slots - 1)
        lap = slots * (len(taken) // slots)
        nearest = [lap + (wanted + shift) % slots for shift in range(slots)]
        nearest.sort(key=lambda place: place % slots == slots - 1)
        place = next(place for place in nearest if place not in taken)
        taken[place] = name
    strokes = {
        name: Stroke(colour=theme.palette[place % slots], dash=DASHES[place // slots % len(DASHES)])
        for place, name in taken.items()
    }
    return {name: _stroke(given[name]) if given and name in given else strokes[name] for name in unique}


def blend(colour: str, ground: str, share: float) -> str:
    """A colour "#rrggbb" mixed with that behind it: `share` of the first."""
    parts = (
        round(share * int(colour[at : at + 2], 16) + (1 - share) * int(ground[at : at + 2], 16)) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


def _stroke(given: str | Stroke) -> Stroke:
    return Stroke(colour=given) if isinstance(given, str) else given


def along_scale(theme: Theme, count: int) -> list[str]:
    """`count` colours evenly along the part of the sequential scale that is legible as a line."""
    low, high = theme.legible
    return [at_position(theme.sequential, low + (high - low) * index / max(1, count - 1)) for index in range(count)]


def legible_scale(theme: Theme) -> list[list[object]]:
    """The same part as a colour scale for marks, in the form that plotly takes."""
    return [[index / 8, colour] for index, colour in enumerate(along_scale(theme, 9))]


def at_position(scale: Scale, position: float) -> str:
    """The colour at a position from 0 to 1 of a scale, as "#rrggbb"."""
    for (left, first), (right, second) in itertools.pairwise(scale):
        if position <= right:
            share = (position - left) / (right - left)
            parts = (
                round((1 - share) * int(first[start : start + 2], 16) + share * int(second[start : start + 2], 16))
                for start in (1, 3, 5)
            )
            return "#" + "".join(f"{part:02x}" for part in parts)
    return scale[-1][1]
