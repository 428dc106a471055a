"""Opens the run that a command was given, and says what to do with a folder of runs instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optiscope.runs import Run


def open_given(path: Path, *, command: str) -> Run:
    """The run at `path`. Raises as `open_run` does, with a hint when the folder holds runs and is none itself."""
    from optiscope.errors import RunNotFound
    from optiscope.runs import open_run, runs

    try:
        return open_run(path)
    except RunNotFound:
        found = tuple(runs(path)) if path.is_dir() else ()
        if not found:
            raise
        several = f"{path}/*" if command == "report" else f"{path}/{found[0].name}"
        raise RunNotFound(
            f"There is no run at {path}: that is a folder of runs. Try optiscope ls {path}, or optiscope {command} "
            f"{several}."
        ) from None
