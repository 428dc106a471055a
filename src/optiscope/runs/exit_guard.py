"""The end of the process: whatever ends it, the runs that are still open are written and closed.

There is one guard per process, because there is one SIGTERM: a handler per writer could not be taken back when the
writers close in another order than they opened.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Literal, Protocol


class Guarded(Protocol):
    """What the guard needs of a writer."""

    def end_at_exit(self, error: BaseException | None) -> None:
        """Close the run, because the process ends; `error` is the exception that ends it, if one does."""

    def flush_at_signal(self, *, is_last: bool) -> None:
        """Write all that was handed over; `is_last` when the process ends right after."""


class ExitGuard:
    """Watches the process while writers are open."""

    def __init__(self) -> None:
        self._writers: list[Guarded] = []
        self._pid = os.getpid()
        self._previous: Any = None
        self._has_handler = False
        self._error_before: BaseException | None = None
        self._is_registered = False

    def add(self, writer: Guarded) -> None:
        """Close `writer` when the process ends before it is closed."""
        if (
            self._pid != os.getpid()
        ):  # a forked child that opened a writer of its own: the parent's are not its to close
            self._writers = []
            self._pid = os.getpid()
        if not self._is_registered:
            atexit.register(self._at_exit)
            self._is_registered = True
        if not self._writers:
            self._error_before = _uncaught()
        self._writers = [*self._writers, writer]
        if not self._has_handler:
            self._install()

    def remove(self, writer: Guarded) -> None:
        """`writer` is closed."""
        self._writers = [each for each in self._writers if each is not writer]
        if not self._writers and self._has_handler:
            self._uninstall()

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._previous = signal.getsignal(signal.SIGTERM)
        if self._previous is None:  # installed from C: it could not be called in turn, nor put back
            return
        signal.signal(signal.SIGTERM, self._on_signal)
        self._has_handler = True

    def _uninstall(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may; the handler then stays and only passes the signal on
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            signal.signal(signal.SIGTERM, self._previous)
            self._has_handler = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        previous = self._previous
        is_last = previous == signal.SIG_DFL
        if self._pid == os.getpid():
            for writer in self._writers:
                writer.flush_at_signal(is_last=is_last)
        if callable(previous):
            previous(number, frame)
        elif is_last:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _at_exit(self) -> None:
        if self._pid != os.getpid():
            return
        error = _uncaught()
        if error is self._error_before:
            error = None  # an old one, of an interactive session that went on after it
        for writer in self._writers:
            writer.end_at_exit(error)


def status_after(error: BaseException | None) -> Literal["finished", "failed", "terminated"]:
    """What becomes of a run that `error` ends: "finished", "failed" or "terminated".

    Ctrl-C terminates it; leaving with exit code 0 (`sys.exit()`) finishes it; any other exception is a failure.
    """
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished"
    return "terminated" if isinstance(error, KeyboardInterrupt) else "failed"


def _uncaught() -> BaseException | None:
    error = getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


GUARD = ExitGuard()
"""The guard of this process."""
