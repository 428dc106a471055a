"""The thread that writes: it takes what the training thread handed over and puts it into the run's files."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiscope.runs.events import Event, append_events, encode_event
from optiscope.runs.heartbeat import BEAT_SECONDS, beat, end_heartbeat
from optiscope.runs.json_form import to_json
from optiscope.runs.row_writer import RowWriter
from optiscope.runs.rows import Block, Row
from optiscope.runs.run_file import last_values_of, write_run_file
from optiscope.runs.schema import SNAPSHOT_SUFFIX, SNAPSHOTS_FOLDER
from optiscope.runs.segments import SegmentSet
from optiscope.runs.snapshot_file import write_snapshot
from optiscope.runs.trouble import Trouble

CHUNK_ROWS = 2048
"""Rows that go into one record batch at most."""
MOST_WAITING_ROWS = 100_000
MOST_WAITING_POINTS = 1_000_000
"""What may wait in memory before the training thread waits too."""
_DESCRIPTION_SECONDS = 1.0
_PROGRESS_SECONDS = 2.0

Job = Callable[[], Iterable[Row | Block]]


@dataclass(frozen=True, slots=True)
class SnapshotOrder:
    """A snapshot to be written."""

    step: int
    """Optimizer steps completed."""
    seconds: float
    """When it was ordered, in seconds since the run began; it may be written much later."""
    tensors: Callable[[], Mapping[str, NDArray[np.generic]]]
    """Gives the arrays by name."""
    dtypes: Mapping[str, str]
    """Element types in the framework, by name, where they are not those of the arrays."""


@dataclass(frozen=True, slots=True)
class Description:
    """Fields to be merged into run.json, already JSON."""

    fields: Mapping[str, Any]


class Barrier:
    """Passed when all that was handed over before it is in the files."""

    def __init__(self, *, closing_status: str | None = None) -> None:
        self.closing_status = closing_status
        """The status to close the run with; None only to flush it."""
        self.passed = threading.Event()


class Scribe:
    """Writes one run. All but `queue`, `wake` and the plain public numbers belongs to its thread.

    `queue` takes tuples (position, values), jobs, and the classes above; `wake` cuts the pause between two rounds
    short. Both can be used inside a signal handler that interrupted a use of them, where an event could deadlock.
    """

    def __init__(
        self,
        path: Path,
        content: dict[str, Any],
        trouble: Trouble,
        *,
        first_row: int,
        pause: float,
        clock: Callable[[], float],
    ) -> None:
        """Write to the run at `path`, whose run.json is `content`. `clock` gives the seconds since the run began."""
        self.queue: deque[Any] = deque()
        self.wake: SimpleQueue[None] = SimpleQueue()
        self.is_busy = False
        self.is_alive = True
        self.most_waiting = MOST_WAITING_ROWS
        """Items that may wait in the queue; the fewer, the wider the rows."""
        self.thread_seconds = 0.0
        """Processor time that the thread has taken, in seconds."""
        self.snapshot_seconds = 0.0
        """The part of it that went into snapshots."""
        self.snapshots_done = 0
        """Snapshots that were ordered and do not wait any more, written or not."""
        self.status = "running"
        """Status that run.json gets in the next round."""
        self._path = path
        self._content = content
        self._trouble = trouble
        self._pause = pause
        self._clock = clock
        self._segments = SegmentSet(path)
        self._rows = RowWriter(self._segments, trouble, self._cannot_write)
        self._rows.next_row = first_row
        self._rows.last_values.update(last_values_of(content))
        self._earlier = {name: int((content.get("counters") or {}).get(name, 0)) for name in ("rows_dropped", "faults")}
        self._other_bytes = 0
        self._events: list[Event] = []
        self._described_at: float | None = None
        self._written: tuple[object, ...] = (self.status,)
        self._written_at = self._beaten_at = time.monotonic()

    @property
    def bytes_written(self) -> int:
        """Bytes of segments, snapshots and events so far."""
        return self._segments.bytes_written + self._other_bytes

    def run(self) -> None:
        """Write until a barrier closes the run. Nothing that happens here ends it earlier."""
        try:
            while True:
                try:
                    self.wake.get(timeout=self._pause)
                    while not self.wake.empty():
                        self.wake.get_nowait()
                except Empty:
                    pass
                self.is_busy = True
                closing = self._round()
                self.is_busy = False
                self.thread_seconds = time.thread_time()
                if closing is not None:
                    closing.passed.set()
                    return
        finally:
            self.is_alive = False
            self._trouble.is_waiting = True

    def _round(self) -> Barrier | None:
        """Write all that waits; return the barrier that closes the run if there was one."""
        barriers: list[Barrier] = []
        closing: Barrier | None = None
        while self.queue and closing is None:
            for _ in range(min(len(self.queue), CHUNK_ROWS)):
                item = self.queue.popleft()
                if type(item) is tuple:
                    try:
                        self._rows.add_metrics(*item)
                    except Exception as error:
                        self._trouble.drop(1)
                        self._failed("A row of metrics", error)
                elif isinstance(item, Barrier):
                    barriers.append(item)
                    if item.closing_status is not None:
                        closing = item
                        break
                else:
                    self._take(item)
            self._guarded(self._rows.write, "rows")
            self.most_waiting = int(max(1000, min(MOST_WAITING_ROWS, MOST_WAITING_POINTS / self._rows.points_a_row)))
        if closing is not None and closing.closing_status is not None:
            self.status = closing.closing_status
            self._guarded(self._finish, "The end of the run")
        else:
            self._guarded(lambda: self._write_events(durable=False), "An event")
            self._guarded(lambda: self._write_content(at_once=bool(barriers)), "run.json")
            self._guarded(self._beat, "The heartbeat")
        for barrier in barriers:
            if barrier is not closing:
                barrier.passed.set()
        return closing

    def _take(self, item: Any) -> None:
        match item:
            case Event():
                self._events.append(item)
            case Description():
                self._content.update(item.fields)
                self._described_at = self._described_at or time.monotonic()
            case SnapshotOrder():
                self._guarded(lambda: self._write_snapshot(item), "A snapshot")
                self.snapshots_done += 1
            case _:
                self._guarded(lambda: self._run_job(item), "A measurement")

    def _run_job(self, job: Job) -> None:
        first_row = self._rows.next_row
        for rows in job():
            if isinstance(rows, Block):
                self._rows.add_block(rows, first_row)
            else:
                self._rows.add_row(rows)

    def _write_snapshot(self, order: SnapshotOrder) -> None:
        began = time.thread_time()
        folder = self._path / SNAPSHOTS_FOLDER
        if self._path.is_dir():
            folder.mkdir(exist_ok=True)
        self._other_bytes += write_snapshot(
            folder / f"{order.step}{SNAPSHOT_SUFFIX}",
            order.tensors(),
            step=order.step,
            seconds=order.seconds,
            dtypes=order.dtypes,
        )
        self.snapshot_seconds += time.thread_time() - began

    # ------------------------------------------------------------------------------------------------------ faults

    def _guarded(self, work: Callable[[], object], subject: str) -> None:
        try:
            work()
        except OSError as error:
            self._cannot_write(error)
        except BaseException as error:  # the thread must outlive whatever a job of the user's framework raises
            self._failed(subject, error)

    def _failed(self, subject: str, error: BaseException) -> None:
        self._trouble.note(
            f"{subject} is not recorded: {type(error).__name__}: {error}. Training goes on.",
            about=f"{subject} {type(error).__name__}",
        )

    def _cannot_write(self, error: OSError) -> None:
        self._trouble.note(
            f"The run {self._path} cannot be written: {error.strerror or error}. Training goes on; what is recorded "
            "meanwhile is lost and counted. Free space on the disk, or check that the folder is there and writable.",
            about="writing",
        )

    # ------------------------------------------------------------------------------------------------ other files

    def _write_events(self, *, durable: bool) -> None:
        if not self._events and not durable:
            return
        position = self._rows.last_position
        step = int(position.step if position is not None else self._content.get("steps") or 0)
        # The writer's own events have no step: they happen wherever the rows have come to.
        lines = b"".join(
            encode_event(replace(each, step=each.step if each.step >= 0 else step)) for each in self._events
        )
        append_events(self._path, lines, durable=durable)
        self._other_bytes += len(lines)
        self._events.clear()

    def _write_content(self, *, at_once: bool = False, durable: bool = False) -> None:
        """Replace run.json if something in it changed, at most once in a while."""
        now = time.monotonic()
        progress = (self.status, self._rows.next_row, self._trouble.faults, self._trouble.rows_dropped)
        is_described = self._described_at is not None
        due = (is_described and now - self._written_at >= _DESCRIPTION_SECONDS) or (
            progress != self._written and now - self._written_at >= _PROGRESS_SECONDS
        )
        urgent = self.status != self._written[0] or (at_once and (is_described or progress != self._written))
        if not (due or urgent or durable):
            return
        self._written_at = now
        self._written = progress
        self._described_at = None
        write_run_file(self._path, self._progressed(), durable=durable)

    def _progressed(self) -> dict[str, Any]:
        position = self._rows.last_position
        content = self._content
        content["status"] = self.status
        content["updated"] = datetime.now(UTC).isoformat()
        if position is not None:
            content["steps"] = int(position.step)
            content["seconds"] = to_json(float(position.seconds))
        elif not content.get("steps"):
            content["seconds"] = self._clock()
        content["last"] = {name: to_json(value) for name, value in self._rows.last_values.items()}
        content["counters"] = {
            "rows": self._rows.next_row,
            "rows_dropped": self._earlier["rows_dropped"] + self._trouble.rows_dropped,
            "faults": self._earlier["faults"] + self._trouble.faults,
        }
        return content

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beaten_at >= BEAT_SECONDS:
            self._beaten_at = now
            beat(self._path)

    def _finish(self) -> None:
        """Close all files, on the disk; run.json comes last, because it says that the rest is whole."""
        self._guarded(self._segments.close, "The end of a segment")
        self._guarded(lambda: self._write_events(durable=True), "An event")
        self._write_content(durable=True)
        end_heartbeat(self._path)
