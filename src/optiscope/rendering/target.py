"""Where to write: whether what a caller passed as a path is one."""

from __future__ import annotations

import os
from pathlib import Path

from optiscope.errors import ArgumentError


def path_of(given: object, *, what: str) -> Path:
    """`given` as a path. `what` begins the message, such as "A figure".

    Raises:
        ArgumentError: it is no path.
    """
    if isinstance(given, str | os.PathLike):
        return Path(os.fspath(given))
    raise ArgumentError(
        f"{what} is written to a path, which comes after what is to be shown. Received as path: {type(given).__name__}."
    )
