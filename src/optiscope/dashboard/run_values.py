"""What a name means in a row of the runs list: a column, a config entry, a hyperparameter or a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from optiscope.runs.json_form import number_from_json

COLUMNS = (
    "name", "status", "started", "duration", "steps", "overhead", "tags", "note", "pinned", "seed", "group",
)  # fmt: skip
"""Names that mean the row itself. They have precedence; `config.name` is the config entry called "name"."""
SPARE_COLUMNS = ("model", "optimizer")
"""Columns that a config entry of the same name hides."""
SYNONYMS = {"tag": "tags", "seconds": "duration", "step": "steps"}
PARTS = ("config", "hyperparameters", "last", "best")
"""Mappings of a row. A plain name is looked for in this order; `best.loss` names the part."""


def value_of(row: Mapping[str, object], name: str) -> object:
    """The value that `name` has in `row`; None when it has none, or none that is known."""
    if name in COLUMNS and row.get(name) is not None:
        return row[name]
    part, dot, rest = name.partition(".")
    if dot and part in PARTS:
        return _part(row, part).get(rest)
    for each in PARTS:
        found = _part(row, each)
        if name in found:
            return found[name]
    if name in SPARE_COLUMNS:
        return row.get(name)
    return row.get(SYNONYMS[name]) if name in SYNONYMS else None


def has_value(row: Mapping[str, object], name: str) -> bool:
    """Whether `row` says anything under `name`; a config entry that is null does."""
    if value_of(row, name) is not None:
        return True
    part, _, rest = name.partition(".")
    return name in _part(row, "config") or (part == "config" and rest in _part(row, part))


def known_names(rows: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Every name that means something in one of `rows`: the columns first, then what the runs have, sorted."""
    fixed = (*COLUMNS, *SPARE_COLUMNS, *SYNONYMS)
    found: set[str] = set()
    for row in rows:
        for part in PARTS:
            for name in _part(row, part):
                found.add(name)
                found.add(f"{part}.{name}")
    return (*fixed, *sorted(found.difference(fixed)))


def number_of(value: object) -> float | None:
    """`value` as a number to compare; None for what is no number. Truth values are none."""
    if isinstance(value, bool):
        return None
    try:
        return number_from_json(value)
    except (ValueError, OverflowError):
        return None


def sort_key(value: object) -> tuple[int, float, str]:
    """A key that puts numbers before texts. What is missing or NaN has the first item 2."""
    number = float(value) if isinstance(value, bool) else number_of(value)
    if value is None or (number is not None and math.isnan(number)):
        return 2, 0.0, ""
    if number is not None:
        return 0, number, ""
    return 1, 0.0, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value).casefold()


def _part(row: Mapping[str, object], part: str) -> Mapping[str, object]:
    found = row.get(part)
    return found if isinstance(found, Mapping) else {}
