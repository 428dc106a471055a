"""Who writes a run, and whether it still does."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from optiscope.runs.run_file import replace_file
from optiscope.runs.schema import HEARTBEAT_FILE

BEAT_SECONDS = 2.0
"""How often a writer touches its heartbeat file."""
SILENCE_SECONDS = 15.0
"""A writer that was silent for longer, and cannot be asked, is taken for dead."""


@dataclass(frozen=True, kw_only=True)
class WriterIdentity:
    """The process that writes, or wrote, a run."""

    pid: int
    """Process number."""
    host: str
    """Host name."""
    process_started: str
    """When the process started, in the system's own unit; tells it from a later one with the same number. May be ""."""
    pid_namespace: str
    """Which numbering of processes `pid` belongs to (containers have their own). May be ""."""
    since: float
    """When it began to write, seconds since 1970 (UTC)."""

    @classmethod
    def of_this_process(cls) -> WriterIdentity:
        """The identity of this process, writing from now on."""
        return cls(
            pid=os.getpid(),
            host=socket.gethostname(),
            process_started=_process_started(os.getpid()),
            pid_namespace=_pid_namespace(),
            since=time.time(),
        )

    @property
    def can_be_asked(self) -> bool:
        """Whether this process can tell if that one is alive: same host, same numbering of processes."""
        return sys.platform != "win32" and self.host == socket.gethostname() and self.pid_namespace == _pid_namespace()

    @property
    def is_alive(self) -> bool:
        """Whether the process is there. Only meaningful where it `can_be_asked`."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError, ValueError):
            return False
        except OSError:
            return True  # it is there, and belongs to somebody else
        return _process_started(self.pid) == self.process_started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def write_heartbeat(run_path: Path, identity: WriterIdentity) -> None:
    """Leave `identity` in the run's folder. Raises `OSError`."""
    replace_file(run_path / HEARTBEAT_FILE, json.dumps(asdict(identity)).encode(), durable=False)


def beat(run_path: Path) -> None:
    """Say that the writer is alive. Raises `OSError`."""
    os.utime(run_path / HEARTBEAT_FILE)


def end_heartbeat(run_path: Path) -> None:
    """Say that nobody writes the run any more. Raises `OSError`."""
    (run_path / HEARTBEAT_FILE).unlink(missing_ok=True)


def read_heartbeat(run_path: Path) -> tuple[WriterIdentity, float] | None:
    """The last writer and the seconds since it was last heard; None when it left no trace that can be read."""
    path = run_path / HEARTBEAT_FILE
    try:
        identity = WriterIdentity(**json.loads(path.read_bytes()))
        return identity, time.time() - path.stat().st_mtime
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def is_writing(run_path: Path) -> bool:
    """Whether the writer that the run names is still at work.

    A process that can be asked is asked: one that is stopped, or busy for minutes in native code, is not dead.
    Of any other, the heartbeat's age decides.
    """
    heard = read_heartbeat(run_path)
    if heard is None:
        return False
    identity, silence = heard
    return identity.is_alive if identity.can_be_asked else silence <= SILENCE_SECONDS


def _process_started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    after_name = stat.rpartition(")")[2].split()  # the name in parentheses may hold spaces
    if after_name[:1] == ["Z"]:
        return "zombie"
    return after_name[19] if len(after_name) > 19 else ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
