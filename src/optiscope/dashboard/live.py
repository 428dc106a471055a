"""What changes in the folder of runs: seen by one thread, for any number of pages.

Each change has a number. Somebody who has seen all up to number n asks for what came since n, and gets it in one piece
however much that is; so nothing is queued for a page that is slow, asleep or gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optiscope.dashboard.containment import RunsFolder
from optiscope.dashboard.watched_run import WatchedRun
from optiscope.runs.files import has_content

INTERVAL_SECONDS = 0.5
"""Time between two looks at the folder."""
_THOROUGH_EVERY = 20
"""Looks after which also runs that nobody writes are gone through file by file."""
_MOST_REMOVED = 10_000
"""Removed runs that are remembered; a page that slept through more begins anew."""

_log = logging.getLogger("optiscope.dashboard")


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What came since a number."""

    number: int
    """The number of the last change in it."""
    is_whole: bool
    """True when this is all that there is, and what is not in it is gone."""
    added: Mapping[str, Mapping[str, Any]]
    """New runs by name, also one that took the place of another: `rows`, `step` and `status` of each."""
    changed: Mapping[str, str]
    """The status of each run whose description, tags or status changed, by name."""
    removed: tuple[str, ...]
    """Names of runs that are gone."""
    grown: Mapping[str, tuple[int, int]]
    """Rows of each run that has new ones, and the step of the last, by name. Rows only rise while a run is the same."""

    def __bool__(self) -> bool:
        return self.is_whole or bool(self.added or self.changed or self.removed or self.grown)


class Watcher:
    """Looks at the folder twice a second while somebody listens, and sleeps while nobody does."""

    def __init__(self, folder: RunsFolder, *, interval: float = INTERVAL_SECONDS) -> None:
        """Watch `folder`. The thread begins with the first listener."""
        self.identity = secrets.token_hex(8)
        """New for each watcher: numbers of another one mean nothing here."""
        self._folder = folder
        self._interval = interval
        self._runs: dict[str, WatchedRun] = {}
        self._removed: dict[str, int] = {}
        self._forgotten = 0
        self._number = 0
        self._looks = 0
        self._listeners: list[Callable[[], None]] = []
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @contextlib.contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have `wake` called, from the watcher's thread, after each look that found something, and at the end."""
        with self._condition:
            self._listeners.append(wake)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._watch, name="optiscope-dashboard-watcher", daemon=True)
                self._thread.start()
            self._condition.notify_all()
        try:
            yield
        finally:
            with self._condition:
                self._listeners.remove(wake)

    def close(self) -> None:
        """Stop looking, and tell those who listen. Returns when the thread has ended."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._wake()

    def changes_since(self, number: int | None) -> Changes | None:
        """What came after the change `number`, everything for None; None before the first look."""
        with self._condition:
            if self._number == 0:
                return None
            if number is None or not self._forgotten <= number <= self._number:
                return Changes(
                    number=self._number,
                    is_whole=True,
                    added={name: _entry(run) for name, run in self._runs.items()},
                    changed={},
                    removed=(),
                    grown={},
                )
            old = {name: run for name, run in self._runs.items() if run.added_at <= number}
            return Changes(
                number=self._number,
                is_whole=False,
                added={name: _entry(run) for name, run in self._runs.items() if run.added_at > number},
                changed={name: run.status for name, run in old.items() if run.changed_at > number},
                removed=tuple(name for name, removed_at in self._removed.items() if removed_at > number),
                grown={name: (run.growth.rows, run.growth.step) for name, run in old.items() if run.grown_at > number},
            )

    def look(self) -> bool:
        """Look at the folder once; whether anything changed. Called by the thread."""
        is_thorough = self._looks % _THOROUGH_EVERY == 0
        self._looks += 1
        number = self._number + 1
        # Only this thread changes the runs: the disk is read without the lock, so that it holds up no request.
        runs: dict[str, WatchedRun] = {}
        is_news = number == 1
        for name, path in _folders(self._folder.path).items():
            run = self._runs.get(name)
            if run is None and not has_content(path):
                continue
            if (run is None or is_thorough) and not self._folder.contains(path):
                continue
            runs[name] = seen = run or WatchedRun(path)
            news = seen.look(is_thorough=is_thorough)
            if run is None or news.is_other:
                seen.added_at = number
            if news.is_described:
                seen.changed_at = number
            if news.is_grown:
                seen.grown_at = number
            # By the numbers, so that what a failed look had found is not lost.
            is_news |= number in {seen.added_at, seen.changed_at, seen.grown_at}
        gone = self._runs.keys() - runs.keys()
        with self._condition:
            self._runs = runs
            for name in runs:
                self._removed.pop(name, None)
            self._removed.update(dict.fromkeys(gone, number))
            while len(self._removed) > _MOST_REMOVED:
                self._forgotten = self._removed.pop(next(iter(self._removed)))
            if is_news or gone:
                self._number = number
        return is_news or bool(gone)

    def _watch(self) -> None:
        is_failing = False
        while True:
            with self._condition:
                while not self._listeners and not self._is_closed:
                    self._condition.wait()
                if self._is_closed:
                    return
            try:
                if self.look():
                    self._wake()
                is_failing = False
            except Exception:  # a folder that is being moved, a disk that is away: a later look may succeed
                if not is_failing:
                    _log.exception("The folder of runs cannot be looked at; further attempts follow")
                is_failing = True
            with self._condition:
                self._condition.wait_for(lambda: self._is_closed, timeout=self._interval)

    def _wake(self) -> None:
        with self._condition:
            listeners = tuple(self._listeners)
        for wake in listeners:
            wake()


def _entry(run: WatchedRun) -> dict[str, Any]:
    growth = run.growth
    rows, step = (growth.rows, growth.step) if growth.is_counted else (None, None)
    return {"rows": rows, "step": step, "status": run.status}


def _folders(folder: Path) -> dict[str, Path]:
    with os.scandir(folder) as entries:
        return {
            entry.name: Path(entry.path) for entry in entries if not entry.name.startswith(".") and _is_folder(entry)
        }


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
