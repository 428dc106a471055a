"""Observation never kills a run: our own failures become one warning, a count, and a note in the run."""

from __future__ import annotations

import time
import warnings
from types import TracebackType

from optiscope.errors import RecordingError, RecordingWarning


class Guard:
    """A context for every entry of the recorder into the training thread: takes the time, and catches our failures.

    With `strict=True` a failure is raised as `RecordingError`; otherwise the first of each kind warns, all are counted.
    Entering it while it is entered (a hook that fires inside another) is fine: time is taken once.
    """

    def __init__(self, *, strict: bool) -> None:
        self.seconds = 0.0
        """Time spent inside so far, in seconds."""
        self.faults = 0
        """Failures caught so far."""
        self._strict = strict
        self._depth = 0
        self._entered = 0.0
        self._warned: set[str] = set()

    def __enter__(self) -> Guard:
        if self._depth == 0:
            self._entered = time.perf_counter()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._entered
        if error is None or not isinstance(error, Exception):
            return False
        if self._strict:
            if isinstance(error, RecordingError):
                return False
            raise RecordingError(f"Recording failed: {type(error).__name__}: {error}") from error
        self.fault(f"{type(error).__name__}: {error}", key=f"{type(error).__name__}{_line_of(traceback)}")
        return True

    def seconds_so_far(self) -> float:
        """Time spent inside, the part of the present stay included, in seconds."""
        return self.seconds + (time.perf_counter() - self._entered if self._depth else 0.0)

    def fault(self, message: str, *, key: str | None = None) -> None:
        """Count a failure; warn of it unless one with the same `key` has been warned of."""
        self.faults += 1
        if self._strict:
            raise RecordingError(f"Recording failed: {message}")
        if (key or message) not in self._warned:
            self._warned.add(key or message)
            warnings.warn(
                f"Optiscope could not record something, and training goes on: {message} "
                "(Later failures of this kind are only counted; watch(strict=True) raises them.)",
                RecordingWarning,
                stacklevel=4,
            )


def _line_of(traceback: TracebackType | None) -> str:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return "" if traceback is None else f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
