"""One run as the watcher knows it: what is compared to see that it was described anew, has grown, or is another."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from optiscope.dashboard.growth import Growth
from optiscope.errors import RunError
from optiscope.runs.heartbeat import is_writing
from optiscope.runs.run_file import read_run_file
from optiscope.runs.schema import ANNOTATIONS_FILE, HEARTBEAT_FILE, RUN_FILE, SERIES_FOLDER


class News(NamedTuple):
    """What a look at a run found."""

    is_other: bool
    """Another run is in the folder."""
    is_described: bool
    """Its run.json, its tags or note, or its status changed."""
    is_grown: bool
    """It has new rows."""


_NOTHING = News(is_other=False, is_described=False, is_grown=False)


class WatchedRun:
    """One run, as it was at the last look."""

    def __init__(self, path: Path) -> None:
        """The run in the folder `path`; nothing is read before the first look."""
        self.path = path
        """The run's folder."""
        self.status = ""
        """"running", "finished", "failed", "terminated", "crashed" or "unreadable"."""
        self.growth = Growth(path)
        """Its rows. Those of a run that nobody writes are only counted when it grows."""
        self.added_at = self.changed_at = self.grown_at = 0
        """Numbers of the latest changes of each kind."""
        self._run_id = ""
        self._declared = ""
        self._description: tuple[object, ...] = ()
        self._surface: tuple[object, ...] = ()

    def look(self, *, is_thorough: bool) -> News:
        """Compare the run with the last look.

        A run that nobody writes, and whose folders and run.json are as they were, is only looked into when
        `is_thorough`: so thousands of old runs cost a few calls each.
        """
        description = _stamp(self.path / RUN_FILE), _stamp(self.path / ANNOTATIONS_FILE)
        is_written = (self.path / HEARTBEAT_FILE).exists()
        surface = description, is_written, _stamp(self.path), _stamp(self.path / SERIES_FOLDER)
        is_first = not self._surface
        if surface == self._surface and not is_written and not is_thorough:
            return _NOTHING
        is_described = description != self._description
        is_other = is_described and self._read_description()
        self._surface, self._description = surface, description
        before = self.growth.rows
        if is_other:
            self.growth = Growth(self.path)
        if (is_first or is_other) and not is_written:
            self.growth.note()
        elif not self.growth.count():
            is_other = True
            self.growth = Growth(self.path)
            self.growth.count()
        status = self._status_now()
        is_described |= status != self.status
        self.status = status
        return News(is_other=is_other, is_described=is_described, is_grown=self.growth.rows != before)

    def _read_description(self) -> bool:
        """Read run.json; whether it is that of another run."""
        try:
            content = read_run_file(self.path)
        except FileNotFoundError:
            return False
        except RunError:
            self._declared = "unreadable"
            return False
        self._declared = str(content.get("status", "running"))
        known, self._run_id = self._run_id, str(content.get("id", "")) or self._run_id
        return known not in {"", self._run_id}

    def _status_now(self) -> str:
        if self._declared == "running" and not is_writing(self.path):
            return "crashed"
        return self._declared or "unreadable"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs when a file was replaced or a folder got another entry; None when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
