"""What went wrong while recording: counted, said once, and never raised into training unless the user asked for it."""

from __future__ import annotations

import warnings
from collections import deque

from optiscope.errors import RecordingError, RecordingWarning


class Trouble:
    """The faults of one writer.

    The writer's thread notes them; the training thread says them, at its next call, so that a warning (or, with
    `strict`, an error) comes up in the user's own code and not in a thread that nobody watches.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.is_waiting = False
        """Whether something is to be said. Read by the training thread at each call, so it is a plain attribute."""
        self.faults = 0
        """Values, jobs, snapshots and files that could not be recorded."""
        self._dropped = {"writer": 0, "training": 0}
        self._unsaid: deque[str] = deque()
        self._said: set[str] = set()

    @property
    def rows_dropped(self) -> int:
        """Rows that were handed over and are not in a file."""
        return sum(self._dropped.values())

    def note(self, message: str, *, about: str) -> None:
        """Count a fault; the first one `about` a subject will be said."""
        self.faults += 1
        if about not in self._said:
            self._said.add(about)
            self._unsaid.append(message)
            self.is_waiting = True

    def drop(self, rows: int, *, thread: str = "writer") -> None:
        """Count rows that are lost. Each thread has its own counter, so that none is overwritten."""
        self._dropped[thread] += rows

    def say(self, *, stacklevel: int) -> None:
        """Warn of, or with `strict` raise, what is waiting. Called on the user's threads only."""
        self.is_waiting = False
        while self._unsaid:
            message = self._unsaid.popleft()
            if self.strict:
                raise RecordingError(message)
            warnings.warn(message, RecordingWarning, stacklevel=stacklevel + 1)
