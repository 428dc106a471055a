"""The runs list in order and in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from optiscope.dashboard.run_values import sort_key, value_of

Row = TypeVar("Row", bound=Mapping[str, object])


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that have a value in common."""

    value: object
    """The value; None for the runs that have none."""
    names: tuple[str, ...]
    """Names of the runs, in the order of the rows."""


def sort_rows(rows: Sequence[Row], by: str, *, descending: bool = False) -> list[Row]:
    """`rows` by the value that the name `by` has in each: numbers, then texts; equal ones stay as they were.

    Pinned runs come first, and runs whose value is missing or NaN last, both in either direction.
    """
    keyed = [(sort_key(value_of(row, by)), row) for row in rows]
    present = [item for item in keyed if item[0][0] != 2]
    present.sort(key=lambda item: item[0], reverse=descending)
    ordered = [row for _, row in present] + [row for key, row in keyed if key[0] == 2]
    return [row for row in ordered if row.get("pinned")] + [row for row in ordered if not row.get("pinned")]


def group_rows(rows: Sequence[Mapping[str, object]], by: str = "group") -> tuple[Group, ...]:
    """The runs that share the value of `by`, in the order in which the values first appear.

    By `group`, the default, runs that differ in their seed only are together; by `seed` or any config entry, those
    with the same value. A run whose value is a list, such as its tags, is in the group of the whole list.
    """
    values: dict[tuple[object, ...], object] = {}
    names: dict[tuple[object, ...], list[str]] = {}
    for row in rows:
        value = value_of(row, by)
        # 1 and True are not the same setting, nor are "1" and [1], and a list cannot be looked up.
        key = (isinstance(value, bool), isinstance(value, list), *sort_key(value)) if value == value else ("NaN",)  # noqa: PLR0124
        values.setdefault(key, value)
        names.setdefault(key, []).append(str(row.get("name", "")))
    return tuple(Group(value=value, names=tuple(names[key])) for key, value in values.items())
