"""The recorder: decides what is measured when, and hands measurements to the run's writer.

An adapter has one `StepSource` for each optimizer. Around each step it measures what the source's `plan` says and then
calls `end`, inside the recorder's `guard`. Everything here runs on the training thread and must stay cheap; formulas,
waiting for accelerators and files are the writer thread's, in batches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from optiscope.recording.guard import Guard
from optiscope.recording.measurement import Labels
from optiscope.recording.pending import Pending
from optiscope.recording.request import Request
from optiscope.recording.schedule import Schedule, at
from optiscope.recording.source import StepSource
from optiscope.runs import Position, RunWriter

REPORT_SECONDS = 1.0
"""How often the measured overhead is brought up to date in the run."""


class ParameterSource(Protocol):
    """What the recorder asks of an adapter by itself."""

    def describe_model(self) -> dict[str, Any]:
        """Name, framework, number of parameters, and for each tensor name, shape and dtype."""
        ...

    def copy_parameters(self) -> Pending[Mapping[str, NDArray[Any]]]:
        """Begin to copy all parameters to the host; the copy is of this moment even if training goes on at once."""
        ...

    def parameter_bytes(self) -> int:
        """Size of one snapshot, in bytes."""
        ...

    def copies_of_parameters(self) -> float:
        """Copies of the parameters that the adapter holds, as a multiple of the parameters' own memory."""
        ...


class Recorder:
    """Owns the writer, the clock and the sources of one watched training run."""

    def __init__(self, writer: RunWriter, request: Request, *, strict: bool) -> None:
        resumed = writer.resumed_from
        self.writer = writer
        self.request = request
        self.guard = Guard(strict=strict)
        self.sources: list[StepSource] = []
        self.first_step = 0 if resumed is None else resumed.step
        self.snapshots_taken = 0
        self.epoch: float | None = None
        self.samples: float | None = None
        self._began = time.perf_counter() - (0.0 if resumed is None else resumed.seconds)
        self._report_due = 0.0
        self._parameters: ParameterSource | None = None
        self._dtypes: Mapping[str, str] = {}
        self._snapshot_bytes_left = _bytes_left(request.snapshot_bytes, writer.path)
        self._last_snapshot = -1

    def attach(self, parameters: ParameterSource) -> None:
        """Name the adapter whose parameters snapshots are taken of."""
        self._parameters = parameters
        self._dtypes = {tensor["name"]: tensor["dtype"] for tensor in parameters.describe_model()["tensors"]}

    def add_source(self, name: str, labels: Labels) -> StepSource:
        """Begin to record one optimizer. `name` goes before the names of its series, unless it is empty."""
        # Snapshots hold the parameters of the whole model, so one optimizer's steps are enough to schedule them.
        schedule = at() if self.sources else self._snapshot_schedule()
        source = StepSource(self, name, labels, snapshot_schedule=schedule)
        self.sources.append(source)
        return source

    def _snapshot_schedule(self) -> Schedule:
        size = 0 if self._parameters is None else self._parameters.parameter_bytes()
        return self.request.snapshot_schedule(size)

    def snapshot_start(self) -> None:
        """Keep the parameters before the first update, if snapshots are taken at the start."""
        if self._snapshot_schedule().due(self.first_step):
            self.snapshot()

    @property
    def step(self) -> int:
        """The largest number of completed steps among the watched optimizers."""
        return max((source.step for source in self.sources), default=self.first_step)

    def position(self) -> Position:
        """Where training is now, on all timelines."""
        return Position(self.step, time.perf_counter() - self._began, self.epoch, self.samples)

    def log(self, values: Mapping[str, object]) -> None:
        """Hand over user metrics."""
        self.writer.log(self.position(), values)

    def snapshot(self) -> None:
        """Keep all parameters as they are now, within the byte cap; at most once a step."""
        if self._parameters is None or self._last_snapshot == self.step:
            return
        if self._snapshot_bytes_left is not None:
            size = self._parameters.parameter_bytes()
            if size > self._snapshot_bytes_left:
                if self._snapshot_bytes_left >= 0:
                    self._say_cap_reached(size)
                return
            self._snapshot_bytes_left -= size
        self._last_snapshot = self.step
        self.snapshots_taken += 1
        self.writer.snapshot(self.step, self._parameters.copy_parameters().resolve, dtypes=self._dtypes)

    def _say_cap_reached(self, size: int) -> None:
        self._snapshot_bytes_left = -1
        self.writer.event(
            "snapshots-stopped",
            f"One more snapshot of {size:,} bytes would exceed the cap of {self.request.snapshot_bytes:,} bytes "
            "(watch(snapshot_bytes=…) sets it).",
            step=self.step,
        )

    def report(self) -> None:
        """Bring the stored overhead up to date, about once a second."""
        now = time.perf_counter()
        if now >= self._report_due:
            self._report_due = now + REPORT_SECONDS
            self.writer.describe(overhead=self.overhead(), faults=self.guard.faults)

    def overhead(self) -> dict[str, object]:
        """What recording has cost since it was begun or resumed, measured, and what was thinned."""
        # Training time is counted between the ends of the first and the last step, where each step is seen whole.
        training = max((source.training_seconds for source in self.sources), default=0.0)
        own, theirs = self.guard.seconds, self.writer.thread_seconds
        return {
            "fraction": (own + theirs) / training if training > 0 else None,
            "training_thread_seconds": own,
            "writer_thread_seconds": theirs,
            "training_seconds": training,
            "budget": self.request.budget,
            "intervals": {name: gap for source in self.sources for name, gap in source.intervals().items()},
            "copies_of_parameters": 0.0 if self._parameters is None else self._parameters.copies_of_parameters(),
        }

    def complete(self) -> None:
        """Keep the last parameters and the final overhead; the writer may be closed after it."""
        with self.guard:
            if self._last_snapshot >= 0:
                self.snapshot()
            self.writer.describe(overhead=self.overhead(), faults=self.guard.faults)


def _bytes_left(cap: int | None, run: Path) -> int | None:
    """What earlier sessions of a resumed run have left of the cap on snapshots."""
    if cap is None:
        return None
    return cap - sum(file.stat().st_size for file in (run / "snapshots").glob("*.safetensors"))
