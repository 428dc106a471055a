"""Checks the number of coordinates that somebody asked for."""

from __future__ import annotations

from optiscope.errors import ArgumentError


def require_dimension(dimension: object, *, least: int, title: str) -> None:
    """Raise `ArgumentError` unless `dimension` is a whole number of at least `least`.

    Args:
        dimension: what was given.
        least: smallest number of coordinates for which the function is defined.
        title: of the function, for the message.
    """
    if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < least:
        raise ArgumentError(f"The dimension of {title} is a whole number, at least {least}. Received: {dimension!r}.")
