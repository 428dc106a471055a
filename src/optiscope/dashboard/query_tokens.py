"""The words of a query, each with its place, and the error that points at one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from optiscope.errors import ArgumentError

LONGEST_QUERY = 2000
"""Characters that a query may have."""

ORDERINGS = ("<", "<=", ">", ">=")
EQUALITIES = ("==", "!=")
COMPARISONS = (*EQUALITIES, *ORDERINGS, "~", "contains", "in", "not in")
"""Every operator that stands between two values."""

_KEYWORDS = frozenset({"and", "or", "not", "in", "contains"})
_SHAPES = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>`[^`]*`)
    |(?P<operator>==|!=|<=|>=|<|>|=|~)
    |(?P<bracket>[()\[\],])
    |(?P<word>[^\s"'`=!<>~()\[\],]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\([\\"'])""")
_FOREIGN = {"&&": "and", "&": "and", "||": "or", "|": "or"}


class QueryError(ArgumentError):
    """A query cannot be read. The message says where, why and what would be valid."""

    def __init__(self, reason: str, *, text: str, position: int) -> None:
        """`reason` is one or more sentences; `position` counts the characters of `text` before the mistake."""
        self.reason = reason
        """What is wrong, without the place."""
        self.position = position
        """Characters of the query before the mistake."""
        shown = text.replace("\n", " ").replace("\t", " ")
        super().__init__(f"{reason} At character {position + 1}:\n  {shown}\n  {' ' * position}^")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word of a query."""

    kind: str
    """"quoted", "name" (in backticks), "operator", "bracket", "keyword", "word" or "end"."""
    text: str
    """What it says: without quotes, keywords in lower case, "=" as "=="."""
    position: int
    """Characters of the query before it."""

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


def tokens_of(text: str) -> list[Token]:
    """The words of the query `text`, and an end. Raises `QueryError` for what begins no word."""
    if len(text) > LONGEST_QUERY:
        raise QueryError(
            f"A query has at most {LONGEST_QUERY} characters. Received: {len(text)}.", text=text[:60], position=0
        )
    tokens, position = [], 0
    while position < len(text):
        match = _SHAPES.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(_token(kind, match.group(), text, position))
        position = match.end()
    return [*tokens, Token(kind="end", text="", position=len(text))]


def _token(kind: str, found: str, text: str, position: int) -> Token:
    match kind:
        case "quoted":
            found = _ESCAPE.sub(r"\1", found[1:-1])
        case "name":
            found = found[1:-1]
            if not found:
                raise QueryError("There is no name between these backticks.", text=text, position=position)
        case "operator" if found == "=":
            found = "=="
        case "word" if found.lower() in _KEYWORDS:
            kind, found = "keyword", found.lower()
        case "word" if found in _FOREIGN:
            raise QueryError(f"Write {_FOREIGN[found]!r} for {found!r}.", text=text, position=position)
    return Token(kind=kind, text=found, position=position)


def _unreadable(text: str, position: int) -> QueryError:
    character = text[position]
    if character in "\"'`":
        reason = f"The quote {character} is never closed."
    else:
        reason = f"{character!r} means nothing here. Write 'not' for the opposite and '!=' for unequal."
    return QueryError(reason, text=text, position=position)
