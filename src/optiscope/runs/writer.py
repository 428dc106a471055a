"""The side of the writer that the training thread sees: it hands over, and nothing else."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from optiscope.errors import ArgumentError
from optiscope.runs.events import Event
from optiscope.runs.exit_guard import GUARD, status_after
from optiscope.runs.heartbeat import WriterIdentity, write_heartbeat
from optiscope.runs.json_form import to_json
from optiscope.runs.opening import OpenedFolder, open_folder
from optiscope.runs.rows import Block, Position, Row
from optiscope.runs.run_file import write_run_file
from optiscope.runs.schema import STATUSES
from optiscope.runs.scribe import Barrier, Description, Scribe, SnapshotOrder
from optiscope.runs.trouble import Trouble

_KEPT_FIELDS = frozenset({"format_version", "id", "name", "status", "started", "updated", "last", "counters"})
"""Fields of run.json that the writer keeps itself."""
_LONGEST_WAIT_FOR_ROOM = 5.0
MOST_WAITING_SNAPSHOTS = 2
"""Snapshots that may wait to be written, the one that is being written among them."""


class RunWriter:
    """Writes one run from a thread of its own. Made by `RunWriter.create`.

    `log`, `submit` and `snapshot` append to a queue and return: they never wait for a disk or a device, except when
    the queue is full, and then not for long. What fails is counted, warned of once, and never raised into training
    (unless `strict`). In a forked child, such as a data loader's worker, every method does nothing.
    """

    def __init__(self, path: Path, opened: OpenedFolder, *, strict: bool, flush_seconds: float) -> None:
        """Use `RunWriter.create`."""
        self.path = path
        self.resumed_from = opened.resumed_from
        """Last position of the run that is taken up again: step and seconds go on from there. None for a new run."""
        self._lock = opened.lock
        self._began = time.monotonic() - (opened.resumed_from.seconds if opened.resumed_from is not None else 0.0)
        self._trouble = Trouble(strict=strict)
        self._scribe = Scribe(
            path,
            opened.content,
            self._trouble,
            first_row=opened.first_row,
            pause=flush_seconds / 2,  # a row waits for half of it at most, and the other half is for writing it
            clock=self.seconds,
        )
        self._queue = self._scribe.queue
        self._wake_at = 4096
        self._snapshots_ordered = 0
        self._is_behind = False
        self._is_stalled = False
        self._is_closed = False
        self._last_barrier: Barrier | None = None
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._scribe.run, name=f"optiscope writer of {path.name}", daemon=True)

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        config: Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        optimizer: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        environment: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        note: str = "",
        seed: int | None = None,
        resume: bool = False,
        overwrite: bool = False,
        strict: bool = False,
        flush_seconds: float = 1.0,
    ) -> RunWriter:
        """Begin a run in the folder `path`, which is made.

        Args:
            path: The run's folder; its last part is the run's name.
            config: What the user wants to remember of the settings; anything, stored as JSON.
            model: Summary of the model.
            optimizer: Summary of the optimizer, or of several.
            environment: Versions, devices, host.
            tags: Words to find the run by.
            note: A sentence about the run.
            seed: Seed of the training.
            resume: Go on with the run at `path` if there is one.
            overwrite: Delete the run at `path` first if there is one. Files that are no run's are left alone.
            strict: Raise `RecordingError` at the next call after something failed, instead of warning once.
            flush_seconds: Longest time that a row stays in memory, in seconds.

        Raises:
            RunExists: There is a run, and neither `resume` nor `overwrite`; or the folder holds something else.
            RunInUse: Somebody else writes to this run.
            RunDamaged: The run to go on with has an unreadable run.json.
            NewerFormat: The run to go on with is of a newer format.
            ArgumentError: The folder cannot be made or written, or arguments contradict each other.
        """
        if not flush_seconds > 0:
            raise ArgumentError(f"flush_seconds must be positive. Received: {flush_seconds!r}.")
        described = {
            "config": to_json(config or {}),
            "tags": [str(tag) for tag in tags],
            "note": str(note),
            "seed": to_json(seed),
            "model": to_json(model or {}),
            "optimizer": to_json(optimizer or {}),
            "environment": to_json(environment or {}),
        }
        run_path = Path(path)
        if isinstance(tags, str):
            raise ArgumentError(f"tags is a sequence of words, such as ({tags!r},). Received: {tags!r}.")
        opened = open_folder(run_path, described=described, resume=resume, overwrite=overwrite)
        try:
            write_heartbeat(run_path, WriterIdentity.of_this_process())
            write_run_file(run_path, opened.content, durable=True)
        except OSError as error:
            opened.lock.release()
            raise ArgumentError(
                f"A run cannot be made at {run_path}: {error.strerror or error}. Choose a folder that may be written. "
                f"Received: {str(run_path)!r}."
            ) from error
        writer = cls(run_path, opened, strict=strict, flush_seconds=flush_seconds)
        writer._thread.start()
        GUARD.add(writer)
        if opened.resumed_from is None:
            writer.event("start", "Recording began.", step=0)
        else:
            step = opened.resumed_from.step
            writer.event("resume", f"Recording went on from step {step}.", step=step, after=opened.earlier_status)
        return writer

    # -------------------------------------------------------------------------------------------------- handing over

    def log(self, position: Position, values: Mapping[str, object]) -> None:
        """Record user metrics at `position`. The mapping is handed over: do not change it afterwards.

        A value is a Python or NumPy number, something zero-dimensional that turns into one, or an object with
        `resolve() -> float`, which the writer's thread calls. Anything else is left out, warned of once per name, and
        counted.
        """
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return
        if len(self._queue) >= self._wake_at and not self._make_room():
            return
        self._queue.append((position, values))

    def submit(self, job: Callable[[], Iterable[Row | Block]]) -> bool:
        """Run `job` on the writer's thread and record the rows that it returns; False when it is dropped instead."""
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return False
        if len(self._queue) >= self._wake_at and not self._make_room():
            return False
        self._queue.append(job)
        return True

    def snapshot(
        self,
        step: int,
        tensors: Callable[[], Mapping[str, NDArray[np.generic]]],
        dtypes: Mapping[str, str] | None = None,
    ) -> bool:
        """Store all parameters at `step`; False when that is skipped, because two others still wait for a slow disk.

        Args:
            step: Optimizer steps completed.
            tensors: Called on the writer's thread; gives the arrays by name.
            dtypes: Element types in the framework, where NumPy has none ("bfloat16"), by name.
        """
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return False
        if not self._has_snapshots_waiting():
            self._is_behind = False
        elif not self._make_room_for_snapshot():
            return False
        self._snapshots_ordered += 1
        self._queue.append(SnapshotOrder(int(step), self.seconds(), tensors, dict(dtypes or {})))
        self._scribe.wake.put(None)  # it may hold a copy of all parameters: do not keep that waiting
        return True

    def event(self, kind: str, message: str, *, step: int, **details: object) -> None:
        """Record that something happened at `step`; `details` are stored as JSON."""
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return
        self._queue.append(
            Event(
                kind=kind,
                message=message,
                step=int(step),
                seconds=self.seconds(),
                details=to_json(details),
                time=time.time(),
            )
        )

    def describe(self, **fields: object) -> None:
        """Merge `fields` (model, optimizer, overhead, …) into run.json, with the next flush.

        Raises `ArgumentError` for a field that the writer keeps itself.
        """
        kept = _KEPT_FIELDS.intersection(fields)
        if kept:
            raise ArgumentError(
                f"The writer keeps these fields of run.json itself. Received: {', '.join(sorted(kept))}."
            )
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return
        self._queue.append(Description(to_json(fields)))

    # ------------------------------------------------------------------------------------------------ end of a stretch

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until all that was handed over is in the files; False when that takes longer than `timeout` seconds.

        In the files means that it survives the end of this process, however it ends; `close` also waits for the disk.
        """
        if (self._trouble.is_waiting or os.getpid() != self._pid) and not self._attend(3):
            return False
        written = self._flush(timeout)
        if self._trouble.is_waiting:
            self._attend(3)
        return written

    def close(self, status: str = "finished", timeout: float = 60.0) -> None:
        """Write everything, wait for the disk, and give the run its last `status`. A second call does nothing.

        Raises `ArgumentError` for a status that there is none of: "finished", "failed" or "terminated".
        """
        if status not in STATUSES[1:]:
            raise ArgumentError(f"A run ends finished, failed or terminated. Received: {status!r}.")
        if self._is_closed or os.getpid() != self._pid:
            return
        self._close(status, timeout)
        try:
            self._trouble.say(stacklevel=2)
        finally:
            self._trouble.is_waiting = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if os.getpid() != self._pid:
            return
        status = status_after(error)
        if error is not None and status != "finished":
            self._note_exception(error)
        self.close(status)

    # ---------------------------------------------------------------------------------------------------- figures

    def seconds(self) -> float:
        """Time since the run began, in seconds; goes on counting in a resumed run."""
        return time.monotonic() - self._began

    @property
    def bytes_written(self) -> int:
        """Bytes of series, snapshots and events so far."""
        return self._scribe.bytes_written

    @property
    def rows_dropped(self) -> int:
        """Rows handed over that are in no file, because it could not be written."""
        return self._trouble.rows_dropped

    @property
    def faults(self) -> int:
        """Values, measurements, snapshots and files that could not be recorded."""
        return self._trouble.faults

    @property
    def thread_seconds(self) -> float:
        """Processor time of the writer's thread, in seconds."""
        return self._scribe.thread_seconds

    @property
    def snapshot_seconds(self) -> float:
        """The part of `thread_seconds` that went into snapshots."""
        return self._scribe.snapshot_seconds

    # ---------------------------------------------------------------------------------------------------- inside

    def _attend(self, stacklevel: int) -> bool:
        """Say what the writer's thread has noted; whether recording goes on."""
        if os.getpid() != self._pid:
            return False
        is_over = self._is_closed or not self._scribe.is_alive
        if is_over:
            self._trouble.drop(1, thread="training")
            self._trouble.note(
                f"The run {self.path} is closed; what is recorded now is lost and counted. "
                "Record before closing, or go on with the run (resume=True).",
                about="closed",
            )
        try:
            self._trouble.say(stacklevel=stacklevel)
        finally:
            if is_over:
                self._trouble.is_waiting = True  # every later call ends here as well
        return not is_over

    def _make_room(self) -> bool:
        """Wake the writer's thread, and wait while the queue is full. False when this row must be dropped."""
        scribe = self._scribe
        if not scribe.is_busy:
            scribe.is_busy = True
            scribe.wake.put(None)
        self._wake_at = max(256, scribe.most_waiting // 4)
        if len(self._queue) < scribe.most_waiting:
            self._is_stalled = False
            return True
        give_up = time.monotonic() + _LONGEST_WAIT_FOR_ROOM
        while not self._is_stalled and scribe.is_alive and len(self._queue) >= scribe.most_waiting // 2:
            if time.monotonic() > give_up:
                self._is_stalled = True
                self._trouble.note(
                    f"The run {self.path} is written more slowly than it is recorded. Training goes on; what is "
                    "recorded meanwhile is lost and counted. Record less often, or on a faster disk.",
                    about="room",
                )
            time.sleep(0.001)
        if len(self._queue) < scribe.most_waiting:
            return True
        self._trouble.drop(1, thread="training")
        return False

    def _has_snapshots_waiting(self) -> bool:
        return self._snapshots_ordered - self._scribe.snapshots_done >= MOST_WAITING_SNAPSHOTS

    def _make_room_for_snapshot(self) -> bool:
        """Wait until fewer snapshots wait. False when this one must be skipped.

        A disk that was too slow once is not waited for again before it has caught up.
        """
        give_up = time.monotonic() + _LONGEST_WAIT_FOR_ROOM
        while not self._is_behind and self._scribe.is_alive and self._has_snapshots_waiting():
            self._is_behind = time.monotonic() > give_up
            time.sleep(0.001)
        if not self._has_snapshots_waiting():
            return True
        self._trouble.note(
            f"Snapshots of the run {self.path} are written more slowly than they are taken. Training goes on; while "
            f"{MOST_WAITING_SNAPSHOTS} wait, others are skipped and counted, because each holds a copy of all "
            "parameters in memory. Take fewer snapshots, or record on a faster disk.",
            about="snapshots waiting",
        )
        return False

    def _flush(self, timeout: float) -> bool:
        barrier = Barrier()
        self._queue.append(barrier)
        self._scribe.wake.put(None)
        return self._wait(barrier, timeout)

    def _wait(self, barrier: Barrier, timeout: float) -> bool:
        give_up = time.monotonic() + timeout
        while not barrier.passed.wait(min(0.2, timeout)):
            if time.monotonic() > give_up or not self._thread.is_alive():
                return barrier.passed.is_set()
        return True

    def _close(self, status: str, timeout: float, *, is_in_signal: bool = False) -> None:
        self._is_closed = True
        self._queue.append(
            Event(kind="stop", message=f"Recording ended: {status}.", step=-1, seconds=self.seconds(), time=time.time())
        )
        barrier = self._last_barrier = Barrier(closing_status=status)
        self._queue.append(barrier)
        self._scribe.wake.put(None)
        if not self._wait(barrier, timeout):
            self._trouble.note(
                f"The end of the run {self.path} could not be written within {timeout:g} s. Its files are readable up "
                "to what was written.",
                about="closing",
            )
        self._trouble.is_waiting = True
        if not is_in_signal:  # the interrupted thread may be inside either; the process ends anyway
            GUARD.remove(self)
            self._lock.release()

    def _note_exception(self, error: BaseException) -> None:
        self._queue.append(
            Event(
                kind="exception",
                message=f"{type(error).__name__}: {error}",
                step=-1,
                seconds=self.seconds(),
                time=time.time(),
            )
        )

    def end_at_exit(self, error: BaseException | None) -> None:
        """Close the run, because the process ends."""
        if self._is_closed or os.getpid() != self._pid:
            return
        if error is not None:
            self._note_exception(error)
        was_terminated = self._scribe.status == "terminated"
        self._close("terminated" if was_terminated and error is None else status_after(error), timeout=30.0)

    def flush_at_signal(self, *, is_last: bool) -> None:
        """Write all that was handed over, because a signal asks the process to end; close the run if it `is_last`."""
        if os.getpid() != self._pid:
            return
        if self._is_closed:
            if self._last_barrier is not None:
                self._wait(self._last_barrier, timeout=10.0)
            return
        self._queue.append(
            Event(kind="signal", message="SIGTERM asked to end.", step=-1, seconds=self.seconds(), time=time.time())
        )
        if is_last:
            self._close("terminated", timeout=10.0, is_in_signal=True)
        else:
            self._scribe.status = "terminated"
            self._flush(timeout=10.0)
