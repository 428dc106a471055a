"""Checks of what races and maps are asked for, before any work."""

from __future__ import annotations

from optiscope.errors import ArgumentError
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.registry import function

LARGEST_COUNT = 1_000_000
"""Of steps, trials, seeds and starts."""
LARGEST_RESOLUTION = 1_000
"""Of maps, along each axis."""


def as_function(problem: object) -> Function:
    """The problem of a name, or itself. Raises `UnknownName` or `ArgumentError`."""
    if isinstance(problem, str):
        return function(problem)
    if isinstance(problem, Function):
        return problem
    raise ArgumentError(
        f"A problem is a name, or a Function; make one of your own with own_function(callable). Received: {problem!r}."
    )


def check_count(name: str, value: object, least: int, most: int = LARGEST_COUNT) -> None:
    """Raise `ArgumentError` unless the value is a whole number within these limits."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ArgumentError(f"{name} is a whole number from {least} to {most:,}. Received: {value!r}.")
