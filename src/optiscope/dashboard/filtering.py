"""The query language of the runs list: `lr < 1e-2 and optimizer == "adam"`.

    query       = either
    either      = both { "or" both }
    both        = opposite { ["and"] opposite }             two conditions side by side must both hold
    opposite    = "not" opposite | "(" either ")" | chain
    chain       = value { operator value }                  1e-4 < lr <= 1e-2 is two comparisons
    operator    = == != < <= > >= ~ contains | in | not in
    value       = number | text | true | false | none | word | `any name` | "[" value { "," value } "]"

A word is a name on the left of an operator. On the right of ==, !=, ~, contains and in it is a text, so quotes may
be left out; on the right of an ordering it is a name, unless it begins with a digit as a date does. `` `val loss` ``
is a name everywhere. A word or a text by itself is searched for in the runs' names and tags.
Texts are compared without regard to case, regular expressions (`~`) with it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from optiscope.dashboard.query_nodes import (
    Both,
    Comparison,
    Condition,
    Either,
    Everything,
    Literal,
    Name,
    Operand,
    Opposite,
    Search,
)
from optiscope.dashboard.query_tokens import COMPARISONS, ORDERINGS, QueryError, Token, tokens_of
from optiscope.dashboard.run_values import known_names

__all__ = ["Query", "QueryError", "known_names", "parse_query"]

DEEPEST = 50
"""Parentheses and nots that may lie in one another."""

_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "none": None, "null": None}
_NUMBER = re.compile(r"[+-]?(?:(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query that was read."""

    text: str
    """As it was typed."""
    condition: Condition
    """What a run has to fulfil."""

    def matches(self, row: Mapping[str, object]) -> bool:
        """Whether the run of this `row` fulfils the query. Never raises: what a run lacks makes a comparison false."""
        return self.condition.matches(row)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the query looks up."""
        return tuple(dict.fromkeys(name for name, _ in self.condition.names()))


def parse_query(text: str, names: Collection[str] | None = None) -> Query:
    """Read the query `text`. An empty one matches every run.

    Args:
        text: What somebody typed.
        names: The names that mean something, from `known_names`. Without them any name is taken, and one that no run
            has matches nothing.

    Raises:
        QueryError: The query cannot be read, or looks up a name that is not among `names`; with the place.

    >>> parse_query('lr < 1e-2 and optimizer == "adam"').matches({"config": {"lr": 1e-3, "optimizer": "adam"}})
    True
    """
    parser = _Parser(text)
    condition = parser.query()
    if names is not None:
        for name, position in condition.names():
            if name not in names:
                raise _unknown(name, names, text, position)
    return Query(text=text, condition=condition)


def _unknown(name: str, names: Collection[str], text: str, position: int) -> QueryError:
    folded = name.casefold()
    near = [each for each in names if each.casefold() == folded or each.casefold().endswith(f".{folded}")]
    near.sort(key=lambda each: (len(each), each))
    near += difflib.get_close_matches(name, sorted(names), n=3)
    if near:
        hint = "Did you mean " + " or ".join(repr(each) for each in list(dict.fromkeys(near))[:3]) + "?"
    else:
        shown = sorted(each for each in names if "." not in each)
        hint = f"Valid: {', '.join(shown[:20])}{', …' if len(shown) > 20 else ''}."
    return QueryError(f"No run has a {name!r}. {hint}", text=text, position=position)


class _Parser:
    """Reads the tokens of one query from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = 0

    def query(self) -> Condition:
        if self._next.kind == "end":
            return Everything()
        condition = self._either()
        if self._next.kind != "end":
            raise self._error(f"{self._next} does not belong here.")
        return condition

    # ---------------------------------------------------------------------------------------------------- conditions

    def _either(self) -> Condition:
        condition = self._both()
        while self._takes("keyword", "or"):
            condition = Either(left=condition, right=self._both())
        return condition

    def _both(self) -> Condition:
        condition = self._opposite()
        while self._takes("keyword", "and") or self._begins_condition():
            condition = Both(left=condition, right=self._opposite())
        return condition

    def _opposite(self) -> Condition:
        position = self._next.position
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"More than {DEEPEST} parentheses or nots lie in one another.")
        if self._takes("keyword", "not"):
            condition: Condition = Opposite(inner=self._opposite())
        elif self._is_list_ahead():
            condition = self._chain()
        elif self._takes("bracket", "("):
            condition = self._either()
            if not self._takes("bracket", ")"):
                raise QueryError("This parenthesis is never closed.", text=self._text, position=position)
        else:
            condition = self._chain()
        self._depth -= 1
        return condition

    def _chain(self) -> Condition:
        first = self._next
        left: Token | Operand = self._value()
        condition: Condition | None = None
        while (found := self._operator()) is not None:
            symbol, token = found
            right = self._value()
            comparison = self._comparison(left, symbol, right, token)
            condition = comparison if condition is None else Both(left=condition, right=comparison)
            left = right
        if condition is not None:
            return condition
        if first.kind == "name":
            raise QueryError(
                f"{first.text!r} is compared with nothing. Write one of these after it: {', '.join(COMPARISONS)}.",
                text=self._text,
                position=first.position,
            )
        if isinstance(left, Literal) and isinstance(left.value, tuple):
            raise QueryError("A list stands only on the right of 'in'.", text=self._text, position=first.position)
        return Search(word=first.text)

    def _comparison(self, left: Token | Operand, symbol: str, right: Token | Operand, token: Token) -> Comparison:
        one = _named(left) if isinstance(left, Token) else left
        if not isinstance(right, Token):
            other = right
        elif isinstance(one, Literal) or (symbol in ORDERINGS and not right.text[0].isdigit()):
            other = _named(right)
        else:
            other = Literal(value=right.text)
        if isinstance(one, Literal) and isinstance(other, Literal):
            raise QueryError(
                "Neither side is a name. A name goes without quotes, or in backticks.",
                text=self._text,
                position=token.position,
            )
        if symbol in {"in", "not in"} and isinstance(other, Literal) and not isinstance(other.value, tuple | str):
            raise QueryError(
                "Write a list after it: optimizer in [adam, sgd].", text=self._text, position=token.position
            )
        return Comparison(left=one, operator=symbol, right=other, pattern=self._pattern(symbol, other, token))

    def _pattern(self, symbol: str, operand: Operand, token: Token) -> re.Pattern[str] | None:
        if symbol != "~":
            return None
        if not isinstance(operand, Literal) or not isinstance(operand.value, str):
            raise QueryError(
                'Write a regular expression in quotes after it: name ~ "^adam".',
                text=self._text,
                position=token.position,
            )
        try:
            return re.compile(operand.value)
        except (re.error, OverflowError, RecursionError) as error:
            raise QueryError(
                f"{operand.value!r} is no regular expression: {error}.", text=self._text, position=token.position
            ) from error

    # -------------------------------------------------------------------------------------------------------- values

    def _value(self) -> Token | Operand:
        """The next value. A word stays a token until it is known on which side of what it stands."""
        token = self._next
        match token.kind:
            case "quoted":
                self._at += 1
                return Literal(value=token.text)
            case "name":
                self._at += 1
                return Name(name=token.text, position=token.position)
            case "word":
                self._at += 1
                return _constant(token)
            case "bracket" if token.text in "([":
                return self._list()
        raise self._error(
            f"A value is missing before {token}: a name, a number, a text in quotes, true, false or none."
        )

    def _list(self) -> Literal:
        opening = self._next
        closing = ")" if opening.text == "(" else "]"
        self._at += 1
        values: list[float | str | bool | None] = []
        while not self._takes("bracket", closing):
            item = self._next
            value = self._value()
            if isinstance(value, Literal) and not isinstance(value.value, tuple):
                values.append(value.value)
            elif isinstance(value, Token):
                values.append(value.text)
            else:
                raise QueryError("A list has numbers and texts only.", text=self._text, position=item.position)
            if not self._takes("bracket", ",") and (self._next.kind, self._next.text) != ("bracket", closing):
                if self._next.kind == "end":
                    raise QueryError("This list is never closed.", text=self._text, position=opening.position)
                raise self._error(f"Write a comma or {closing!r} before {self._next}.")
        return Literal(value=tuple(values))

    def _operator(self) -> tuple[str, Token] | None:
        token = self._next
        if token.kind == "operator" or (token.kind == "keyword" and token.text in {"in", "contains"}):
            self._at += 1
            return token.text, token
        following = self._tokens[self._at + 1] if token.kind != "end" else token
        if (token.kind, token.text, following.kind, following.text) == ("keyword", "not", "keyword", "in"):
            self._at += 2
            return "not in", token
        return None

    # -------------------------------------------------------------------------------------------------------- tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _takes(self, kind: str, text: str) -> bool:
        if (self._next.kind, self._next.text) != (kind, text):
            return False
        self._at += 1
        return True

    def _begins_condition(self) -> bool:
        token = self._next
        return (
            token.kind in {"quoted", "name", "word"}
            or (token.kind, token.text) == ("keyword", "not")
            or (token.kind == "bracket" and token.text in "([")
        )

    def _is_list_ahead(self) -> bool:
        return (self._next.kind, self._next.text) == ("bracket", "[")

    def _error(self, reason: str) -> QueryError:
        return QueryError(reason, text=self._text, position=self._next.position)


def _constant(token: Token) -> Token | Literal:
    word = token.text.lower()
    if word in _CONSTANTS:
        return Literal(value=_CONSTANTS[word])
    if _NUMBER.fullmatch(word):
        try:
            return Literal(value=float(word))
        except ValueError:
            return token
    return token


def _named(token: Token) -> Name:
    return Name(name=token.text, position=token.position)
