"""From the name of a run to its folder, and never out of the folder of runs: not by dots, slashes or links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from optiscope.errors import RunNotFound

_DEEPEST = 3
"""Folders below a run are this deep at most; what lies deeper is no part of a run."""


class RunsFolder:
    """The folder that the dashboard shows, and the only part of the disk that a request can reach."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Take the folder as it is now. Raises `RunNotFound` when it is not there, or is no folder."""
        self.given = Path(folder)
        """The folder as the user wrote it."""
        try:
            self.path = self.given.resolve(strict=True)
            """The folder without links and dots."""
            os.scandir(self.path).close()
        except OSError as error:
            raise RunNotFound(
                f"There are no runs in {self.given}: {error.strerror or error}. Check the path."
            ) from error

    def run(self, name: str) -> Path:
        """The folder of the run `name`. Raises `RunNotFound`, without a path in the message, for any other name."""
        path = self.path / name if _is_plain(name) else None
        if path is None or not path.is_dir():
            raise RunNotFound(f"There is no run {name[:200]!r} here. Read the list of runs anew.")
        if not self.contains(path):
            raise RunNotFound(f"The run {name[:200]!r} is a link, or a link in it leads out of the folder: not read.")
        return path

    def contains(self, run_path: Path) -> bool:
        """Whether the run at `run_path` lies right in this folder, is no link, and no link in it leads out."""
        try:
            if run_path.is_symlink() or Path(os.path.realpath(run_path)).parent != self.path:
                return False
            return all(self._holds(link) for link in _links(run_path, _DEEPEST))
        except (OSError, ValueError):
            return False

    def without_paths(self, text: str) -> str:
        """`text` with this folder, and the folders above it, no longer named."""
        for path in sorted({str(self.path), str(self.given), str(self.given.absolute())}, key=len, reverse=True):
            if len(path) > 1:
                text = text.replace(path + os.sep, "").replace(path, "the folder of runs")
        home = str(Path.home())
        return text.replace(home, "~") if len(home) > 1 else text

    def _holds(self, link: Path) -> bool:
        return Path(os.path.realpath(link)).is_relative_to(self.path)


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and not any(each in name for each in "/\\:\0") and len(name) <= 255


def _links(folder: Path, deepest: int) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Path(entry.path)
            elif deepest and entry.is_dir(follow_symlinks=False):
                yield from _links(Path(entry.path), deepest - 1)
