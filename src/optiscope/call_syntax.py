"""Names with settings in one string, as people type them: `adam(learning_rate=0.1, amsgrad=true)`.

Optimizers, problems and schedules are all named this way, on the command line and in Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optiscope.errors import ArgumentError

_CALL = re.compile(r"\s*(?P<name>[A-Za-z_][\w.\-]*)\s*(?:\((?P<settings>.*)\))?\s*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A name and the settings that were given with it."""

    name: str
    """What is named."""
    settings: Mapping[str, Value] = field(default_factory=dict)
    """Settings by name, in the order in which they were given."""


Value = float | int | bool | str | None | Call | tuple["Value", ...]
"""What a setting may be in a string. A call within a call is a schedule: `adam(learning_rate=cosine(start=0.1))`."""

_WORDS: Mapping[str, Value] = {"true": True, "false": False, "none": None}


def parse_call(text: str) -> Call:
    """Read `name` or `name(setting=value, ...)`.

    Values are numbers, true, false, none, words, the same form again (read as a `Call`), and tuples of these.

    Raises `ArgumentError` for anything else.

    >>> parse_call("adam(learning_rate=1e-2, epsilon_inside=true)").settings
    {'learning_rate': 0.01, 'epsilon_inside': True}
    """
    match = _CALL.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    inside = match["settings"]
    if inside is None or not inside.strip():
        return Call(name=match["name"])
    try:
        call = ast.parse(f"_({inside})", mode="eval").body
    except SyntaxError:
        raise _unreadable(text) from None
    if not isinstance(call, ast.Call) or call.args or any(keyword.arg is None for keyword in call.keywords):
        raise _unreadable(text)
    return Call(name=match["name"], settings=_settings(call, text))


def split_calls(text: str) -> list[str]:
    """Split a list at the commas outside parentheses.

    >>> split_calls("sgd, adam(beta1=0.9, beta2=0.99)")
    ['sgd', 'adam(beta1=0.9, beta2=0.99)']
    """
    parts: list[str] = [""]
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def spell_call(name: str, settings: Mapping[str, object]) -> str:
    """Write what `parse_call` reads, with numbers to four digits: for labels."""
    if not settings:
        return name
    return f"{name}({', '.join(f'{key}={_spell(value)}' for key, value in settings.items())})"


def _settings(call: ast.Call, text: str) -> dict[str, Value]:
    return {str(keyword.arg): _value(keyword.value, text) for keyword in call.keywords}


def _value(node: ast.expr, text: str) -> Value:
    match node:
        case ast.Constant(value=float() | int() | bool() | str() | None):
            return node.value  # type: ignore[return-value]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float() | int() as number)):
            return -number
        case ast.Name(id=word):
            return _WORDS.get(word.lower(), float(word) if word.lower() in ("nan", "inf") else word)
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords) if all(one.arg for one in keywords):
            return Call(name=name, settings=_settings(node, text))
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return tuple(_value(element, text) for element in elements)
        case _:
            raise _unreadable(text)


def _spell(value: object) -> str:
    if isinstance(value, Call):
        return spell_call(value.name, value.settings)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"({', '.join(_spell(one) for one in value)}{',' * (len(value) == 1)})"
    return str(value)


def _unreadable(text: str) -> ArgumentError:
    return ArgumentError(
        "A name may carry settings in parentheses, such as adam(learning_rate=0.1, beta2=0.99); values are numbers, "
        f"true, false, none, words or tuples. Received: {text!r}."
    )
