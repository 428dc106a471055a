"""Exclusive use of a run: one writer at a time, over processes and within one."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from optiscope.errors import RunInUse
from optiscope.runs.heartbeat import read_heartbeat
from optiscope.runs.schema import LOCK_FILE


class RunLock:
    """The lock of one run, held until `release`."""

    def __init__(self, run_path: Path) -> None:
        """Take the lock of the run at `run_path`.

        Raises `RunInUse` naming the holder. On a file system that has no locks `is_held` is False and nothing raises.
        """
        self.is_held = False
        try:
            self._lock = FileLock(run_path / LOCK_FILE, thread_local=False)
            self._take(run_path)
        except (OSError, NotImplementedError):
            # A file system without locks must not keep a training run from being recorded.
            return

    def _take(self, run_path: Path) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            heard = read_heartbeat(run_path)
            holder = heard[0] if heard is not None else None
            if holder is None or not holder.can_be_asked or holder.is_alive:
                raise _in_use(run_path, str(holder or "another process")) from None
            # The writer is dead, but a child that it forked still holds the lock that it inherited. A new lock file
            # leaves that child with the old one.
            (run_path / LOCK_FILE).unlink(missing_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise _in_use(run_path, "another process") from None
        self.is_held = True

    def release(self) -> None:
        """Let the next writer in."""
        if self.is_held:
            self.is_held = False
            self._lock.release(force=True)


def _in_use(run_path: Path, holder: str) -> RunInUse:
    return RunInUse(
        f"{run_path} is being written by {holder}. Two writers would mix their rows. "
        "Wait until it ends, stop it, or record under another name."
    )
