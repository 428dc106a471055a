"""What the printer can draw, written down: an attribute outside the vocabulary raises, it is never left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from optiscope.errors import CannotDraw

_INTERACTION = frozenset(
    {
        "clickmode", "clicktoshow", "customdata", "customdatasrc", "dragmode", "editrevision", "ids", "idssrc",
        "meta", "metasrc", "modebar", "newselection", "newshape", "activeselection", "activeshape", "selected",
        "selectedpoints", "selectdirection", "selectionrevision", "spikedistance", "stream", "transition", "type",
        "uid", "uirevision", "unselected", "xhoverformat", "yhoverformat", "zhoverformat", "xclick", "yclick",
        "captureevents", "editable", "name", "templateitemname",
    }
)  # fmt: skip
"""Attributes that only a mouse, a program or a server could notice: paper has none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The attributes of one kind of part that reach the paper."""

    drawn: frozenset[str]
    """Dotted paths, such as "line.width". A path that ends in ".*" covers everything below it."""
    values: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Dotted paths of which only these values can be drawn."""
    harmless: frozenset[str] = frozenset()
    """Dotted paths that change nothing on paper, besides the interaction attributes that no part prints."""

    @classmethod
    def of(
        cls, drawn: str, *, values: Mapping[str, tuple[object, ...]] | None = None, harmless: str = ""
    ) -> Vocabulary:
        """Build a vocabulary from attribute paths separated by blanks."""
        return cls(drawn=frozenset(drawn.split()), values=dict(values or {}), harmless=frozenset(harmless.split()))

    def check(self, properties: Mapping[str, object], *, part: str) -> None:
        """Raise `CannotDraw` for the first attribute of `part` that is not in the vocabulary."""
        self._check_below(properties, part, "")

    def _check_below(self, properties: Mapping[str, object], part: str, prefix: str) -> None:
        for key, value in properties.items():
            path = f"{prefix}{key}"
            if value is None or self._is_harmless(path, key):
                continue
            if path in self.values:
                if not _is_one_of(value, self.values[path]):
                    raise cannot_draw(part, path, value, drawable=self.values[path])
            elif path in self.drawn or f"{path}.*" in self.drawn:
                continue
            elif isinstance(value, Mapping) and self._knows_below(path):
                self._check_below(value, part, f"{path}.")
            elif not (isinstance(value, Mapping) and not value):
                raise cannot_draw(part, path, value)

    def _is_harmless(self, path: str, key: str) -> bool:
        interaction = key in _INTERACTION or key.startswith("hover") or key.endswith("src")
        return path in self.harmless or (interaction and path not in self.drawn and path not in self.values)

    def _knows_below(self, path: str) -> bool:
        start = f"{path}."
        return any(known.startswith(start) for group in (self.drawn, self.values, self.harmless) for known in group)


def cannot_draw(part: str, path: str, value: object, *, drawable: Iterable[object] | None = None) -> CannotDraw:
    """The error for an attribute that has no place on paper."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    choices = f" It draws {path!r} as: {', '.join(map(repr, drawable))}." if drawable is not None else ""
    return CannotDraw(
        f"The {part} sets {path!r}, which the printer (.png, .svg, .pdf) cannot draw; it leaves nothing out silently."
        f"{choices} Save the figure as .html instead, or take the attribute away. Received: {path} = {shown}."
    )


def _is_one_of(value: object, choices: tuple[object, ...]) -> bool:
    return any(value is choice or (type(value) is type(choice) and value == choice) for choice in choices)
