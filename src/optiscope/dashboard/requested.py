"""What a request asks for, read from its query or body: checked for kind and size before anybody acts on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from optiscope.dashboard.sampling import FEWEST_POINTS, POINTS
from optiscope.errors import ArgumentError, UnknownName

MOST_POINTS = 20_000
"""Points of a series that are sent at most."""
MOST_SERIES = 2000
"""Series, over all runs, that one request may ask for."""

EDITS: Mapping[str, Mapping[str, type]] = {
    "rename": {"run": str, "name": str},
    "tag": {"run": str, "tag": str},
    "untag": {"run": str, "tag": str},
    "note": {"run": str, "text": str},
    "pin": {"run": str, "pinned": bool},
    "delete": {"run": str},
    "undo": {"key": str},
    "empty": {},
}
"""Each change, and what has to be told for it."""


@dataclass(frozen=True, kw_only=True)
class SeriesRequest:
    """Which points to send."""

    runs: tuple[str, ...]
    """Names of the runs."""
    names: tuple[str, ...]
    """Names of the series."""
    steps: tuple[int | None, int | None]
    """First and last step, both included; None for an open end."""
    points: int
    """Points of each series at most."""


def series_request(query: QueryParams) -> SeriesRequest:
    """Read `?run=…&run=…&name=…&from=…&to=…&points=…`. Raises `ArgumentError`."""
    runs = tuple(dict.fromkeys(query.getlist("run")))
    names = tuple(dict.fromkeys(query.getlist("name")))
    if not runs or not names:
        raise ArgumentError("Series are asked for by run=… and name=…, each at least once.")
    if len(runs) * len(names) > MOST_SERIES:
        raise ArgumentError(
            f"One request asks for at most {MOST_SERIES} series. Ask several times. "
            f"Received: {len(runs)} runs with {len(names)} series each."
        )
    first, last = _whole(query, "from"), _whole(query, "to")
    if first is not None and last is not None and first > last:
        raise ArgumentError(f"The range of steps ends before it begins. Received: from={first}, to={last}.")
    points = _whole(query, "points")
    if points is not None and not FEWEST_POINTS <= points <= MOST_POINTS:
        raise ArgumentError(f"points is a number from {FEWEST_POINTS} to {MOST_POINTS}. Received: points={points}.")
    return SeriesRequest(runs=runs, names=names, steps=(first, last), points=points or POINTS)


def edit_request(body: bytes) -> tuple[str, dict[str, Any]]:
    """Read `{"action": …, …}`; return the action and what it needs, as `EDITS` has it. Raises `ArgumentError`."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"The change is not JSON ({type(error).__name__}).") from error
    if not isinstance(content, dict):
        raise ArgumentError("A change is a JSON object with an action.")
    action = content.pop("action", None)
    if action not in EDITS:
        raise UnknownName.among(str(action)[:100], EDITS, kind="change")
    needs = EDITS[action]
    if content.keys() != needs.keys() or any(type(content[name]) is not kind for name, kind in needs.items()):
        told = ", ".join(f"{name} ({_KINDS[kind]})" for name, kind in needs.items()) or "nothing else"
        raise ArgumentError(f"The change {action!r} needs {told}. Received: {', '.join(sorted(content))[:200]}.")
    return action, content


_KINDS = {str: "a text", bool: "true or false"}


def _whole(query: QueryParams, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 18:
        raise ArgumentError(f"{name} is a whole number. Received: {name}={text[:50]!r}.")
    return int(text)
