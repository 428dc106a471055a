"""The conditions that a query is made of. Each says whether a row of the runs list fulfils it."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from optiscope.dashboard.run_values import has_value, number_of, value_of

LONGEST_SEARCHED = 10_000
"""Characters of a value that a regular expression sees."""

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(Protocol):
    """Something that a row fulfils or not."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether `row` fulfils it. Never raises."""
        ...

    def names(self) -> Iterator[tuple[str, int]]:
        """The names that it looks up, each with its place in the query."""
        ...


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A value that the query gives: a number, a text, true, false, none, or a list of these."""

    value: float | str | bool | tuple[float | str | bool | None, ...] | None
    """The value."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name whose value each row has for itself."""

    name: str
    """The name."""
    position: int
    """Its place in the query."""


Operand = Literal | Name


@dataclass(frozen=True, kw_only=True)
class Everything:
    """The condition of an empty query."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Always true."""
        return True

    def names(self) -> Iterator[tuple[str, int]]:
        """None."""
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Both:
    """left and right."""

    left: Condition
    """The one."""
    right: Condition
    """The other."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether `row` fulfils both."""
        return self.left.matches(row) and self.right.matches(row)

    def names(self) -> Iterator[tuple[str, int]]:
        """Those of both."""
        yield from self.left.names()
        yield from self.right.names()


@dataclass(frozen=True, kw_only=True)
class Either:
    """left or right."""

    left: Condition
    """The one."""
    right: Condition
    """The other."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether `row` fulfils one of them."""
        return self.left.matches(row) or self.right.matches(row)

    def names(self) -> Iterator[tuple[str, int]]:
        """Those of both."""
        yield from self.left.names()
        yield from self.right.names()


@dataclass(frozen=True, kw_only=True)
class Opposite:
    """not inner. True also where the inner condition is false because a value is missing."""

    inner: Condition
    """What must not hold."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether `row` does not fulfil the inner condition."""
        return not self.inner.matches(row)

    def names(self) -> Iterator[tuple[str, int]]:
        """Those of the inner condition."""
        return self.inner.names()


@dataclass(frozen=True, kw_only=True)
class Search:
    """A bare word: part of the run's name or of one of its tags, upper or lower case."""

    word: str
    """The word."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether the name or a tag of `row` has the word in it."""
        word = self.word.casefold()
        tags = row.get("tags")
        texts = [row.get("name"), *(tags if isinstance(tags, list | tuple) else ())]
        return any(isinstance(text, str) and word in text.casefold() for text in texts)

    def names(self) -> Iterator[tuple[str, int]]:
        """None: a word that no run has is no mistake."""
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """left operator right. False where a row lacks a value, or where the two cannot be compared."""

    left: Operand
    """What is compared."""
    operator: str
    """One of `COMPARISONS`."""
    right: Operand
    """With what."""
    pattern: re.Pattern[str] | None = None
    """The regular expression, where the operator is "~"."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether the comparison holds in `row`."""
        if any(isinstance(each, Name) and not has_value(row, each.name) for each in (self.left, self.right)):
            return False
        left, right = (
            value_of(row, each.name) if isinstance(each, Name) else each.value for each in (self.left, self.right)
        )
        match self.operator:
            case "==":
                return _equal(left, right)
            case "!=":
                return not _equal(left, right)
            case "in":
                return _is_in(left, right)
            case "not in":
                return not _is_in(left, right)
            case "contains":
                return _is_in(right, left)
            case "~":
                return self.pattern is not None and _is_found(self.pattern, left)
            case _:
                return _is_ordered(_ORDERS[self.operator], left, right)

    def names(self) -> Iterator[tuple[str, int]]:
        """The names on its two sides."""
        for each in (self.left, self.right):
            if isinstance(each, Name):
                yield each.name, each.position


def _equal(left: object, right: object) -> bool:
    """Equal as people mean it: texts without regard to case, NaN to itself, a list when one of its items is."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, list | tuple) and not isinstance(other, list | tuple):
            return any(_equal(item, other) for item in one)
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    one_number, other_number = number_of(left), number_of(right)
    if one_number is not None and other_number is not None:
        return one_number == other_number or (math.isnan(one_number) and math.isnan(other_number))
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    return isinstance(left, str) and isinstance(right, str) and left.casefold() == right.casefold()


def _is_in(item: object, whole: object) -> bool:
    if isinstance(whole, str):
        return item is not None and _text(item).casefold() in whole.casefold()
    if isinstance(whole, list | tuple):
        return any(_equal(item, each) for each in whole)
    return False


def _is_found(pattern: re.Pattern[str], value: object) -> bool:
    texts = value if isinstance(value, list | tuple) else [value]
    return any(pattern.search(_text(text)[:LONGEST_SEARCHED]) is not None for text in texts)


def _is_ordered(order: Callable[[Any, Any], bool], left: object, right: object) -> bool:
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return order(one, other)
    if isinstance(left, str) and isinstance(right, str):
        return order(left.casefold(), right.casefold())
    return False


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
