"""`watch`: one line that records a training loop of any supported framework."""

from __future__ import annotations

import atexit
import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from optiscope.errors import ArgumentError
from optiscope.frameworks.detect import adapter_for, is_silent_rank
from optiscope.frameworks.protocol import Adapter, Capability
from optiscope.recording.recorder import Recorder
from optiscope.recording.request import request_of
from optiscope.recording.schedule import Schedule
from optiscope.runs import Run, RunWriter, open_run

_PLAIN = frozenset({float, int})
_TIMELINES = ("epoch", "samples")


class Watch:
    """A live recording. Use it as a context manager, or call `close` at the end; at exit it closes by itself."""

    def __init__(self, adapter: Adapter, recorder: Recorder, path: Path) -> None:
        self.path = path
        """Folder of the run."""
        self._adapter = adapter
        self._recorder = recorder
        self._open = True
        # A script that never closes its watch: the writer closes the run at exit, and this comes before it.
        atexit.register(recorder.complete)

    @property
    def step(self) -> int:
        """Optimizer steps completed so far."""
        return self._recorder.step

    @property
    def overhead(self) -> float | None:
        """Share of the training time that recording has cost so far, or None before the second step."""
        fraction = self._recorder.overhead()["fraction"]
        return fraction if isinstance(fraction, float) else None

    def log(self, **metrics: object) -> None:
        """Record metrics at the present step: any names, at any time, at any cadence.

        Args:
            metrics: Numbers, or tensors of one element; one on an accelerator is fetched without waiting for it.
                `epoch` and `samples` are not metrics but the present positions on those timelines.

        A value that is not a single number is left out, with a warning. Raises `RecordingError` only under `strict`.
        """
        if not self._open:
            return
        recorder = self._recorder
        with recorder.guard:
            if "epoch" in metrics or "samples" in metrics:
                self._advance(metrics)
            if not _PLAIN.issuperset(map(type, metrics.values())):
                metrics = self._numbers(metrics)
            if metrics:
                recorder.log(metrics)

    def note(self, message: str) -> None:
        """Write a remark into the run, at the present step."""
        if self._open:
            with self._recorder.guard:
                self._recorder.writer.event("note", message, step=self.step)

    def snapshot(self) -> None:
        """Keep all parameters as they are now, beside the scheduled snapshots."""
        if self._open:
            with self._recorder.guard:
                self._recorder.snapshot()

    def flush(self) -> None:
        """Wait until everything recorded so far is in the files."""
        if self._open:
            self._recorder.writer.flush()

    def open_run(self) -> Run:
        """The run as far as it is recorded by now."""
        self.flush()
        return open_run(self.path)

    def close(self, status: Literal["finished", "failed", "terminated"] = "finished") -> None:
        """Stop watching and complete the run. Calling it again does nothing."""
        if self._open:
            self._open = False
            with self._recorder.guard:
                self._adapter.detach()
            atexit.unregister(self._recorder.complete)
            self._recorder.complete()
            self._recorder.writer.close(status)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and self._open:
            with self._recorder.guard:
                self._recorder.writer.event("exception", f"{type(error).__name__}: {error}", step=self.step)
        self.close("finished" if error is None else "terminated" if kind is KeyboardInterrupt else "failed")

    def _advance(self, metrics: dict[str, object]) -> None:
        for timeline in _TIMELINES:
            if timeline in metrics:
                value = metrics.pop(timeline)
                if not isinstance(value, int | float):
                    self._recorder.guard.fault(f"{timeline} is a number. Received: {value!r}", key=timeline)
                    continue
                setattr(self._recorder, timeline, float(value))

    def _numbers(self, metrics: Mapping[str, object]) -> dict[str, object]:
        numbers: dict[str, object] = {}
        for name, value in metrics.items():
            if type(value) in _PLAIN:
                numbers[name] = value
                continue
            try:
                numbers[name] = self._adapter.scalar(value)
            except (ArgumentError, TypeError, ValueError) as error:
                self._recorder.guard.fault(f"metric {name!r} was left out. {error}", key=f"metric {name}")
        return numbers


class SilentWatch(Watch):
    """What `watch` returns on the ranks of a distributed training that do not record: it accepts everything."""

    def __init__(self) -> None:
        self._open = False
        self.path = Path(os.devnull)

    @property
    def step(self) -> int:
        """Always 0."""
        return 0

    @property
    def overhead(self) -> float | None:
        """Nothing is recorded, so nothing is measured."""
        return None


def watch(
    model: Any,
    optimizer: Any,
    *,
    run: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    note: str = "",
    seed: int | None = None,
    budget: float | None = 0.05,
    quantities: Iterable[str] | Mapping[str, Schedule | None] | None = None,
    raw_gradients: bool = False,
    histograms: Schedule | None = None,
    snapshots: Schedule | None = None,
    snapshot_bytes: int | None = None,
    scaler: Any = None,
    resume: bool = False,
    overwrite: bool = False,
    strict: bool = False,
) -> Watch:
    """Record every step that `optimizer` takes on `model`, from now on.

    Nothing that the training computes is changed: losses, weights and random states are bit-identical with and without.

    Args:
        model: A `torch.nn.Module`, a Keras model, a `paddle.nn.Layer`, or a mapping of names to several of them.
            With `NumpyOptimizer`, the mapping of arrays that it trains.
        optimizer: Its optimizer, or a sequence or mapping of several; their series are then named "<name>/<series>".
        run: Folder of the new run. By default a new one under `runs`, named by the time and the optimizer.
        config: Settings to store with the run, such as `{"lr": 1e-3, "seed": 0}`; runs are compared by them.
        tags: Words to find the run by.
        note: A remark to store with the run.
        seed: Seed of the training, stored with the run.
        budget: Most that recording may cost, as a share of the training time: dear quantities are then measured at
            fewer steps. None measures everything at every step. The cost that was measured is stored either way.
        quantities: Names of what to record, or a mapping of names to schedules; None as a schedule leaves it to the
            budget. By default all core quantities.
        raw_gradients: Also record the norms of the gradients as the backward pass leaves them, before any clipping and
            unscaling, as "raw_gradient_norm".
        histograms: Schedule of histograms of weights, gradients and updates; by default log-spaced in the budget.
        snapshots: Schedule of snapshots of all parameters, such as `every(1)`; by default log-spaced in the budget.
        snapshot_bytes: Most bytes that all snapshots may take; by default 512 MiB; no cap if `snapshots` is given.
        scaler: The `torch.amp.GradScaler`, so that the steps that it skips are recorded as skipped.
        resume: Continue the run if it exists.
        overwrite: Delete the run first if it exists.
        strict: Raise when recording fails, instead of warning once and going on.

    Returns:
        A `Watch`: log metrics with `watch.log(loss=loss)`, and close it, best as a context manager.

    Raises:
        RunExists: There is a run at that path, and neither `resume` nor `overwrite` is given.
        RunInUse: Another recorder is writing to that run.
        UnknownName: No such quantity.
        ArgumentError: Model and optimizer do not fit together, or another argument cannot work.
    """
    request = request_of(
        chosen=quantities,
        raw_gradients=raw_gradients,
        histograms=histograms,
        snapshots=snapshots,
        snapshot_bytes=snapshot_bytes,
        budget=budget,
    )
    if is_silent_rank():
        return SilentWatch()
    adapter = adapter_for(model, optimizer, scaler)
    request = request.limited_to(
        adapter.reductions,
        histograms=Capability.HISTOGRAMS in adapter.capabilities,
        snapshots=Capability.SNAPSHOTS in adapter.capabilities,
    )
    optimizers = adapter.describe_optimizers()
    path = _default_path(optimizers[0]["name"]) if run is None else Path(run)
    writer = RunWriter.create(
        path,
        config=dict(config or {}),
        model=adapter.describe_model(),
        optimizer=optimizers[0] if len(optimizers) == 1 else optimizers,
        environment=_environment(),
        tags=tuple(tags),
        note=note,
        seed=seed,
        resume=resume,
        overwrite=overwrite,
        strict=strict,
    )
    recorder = Recorder(writer, request, strict=strict)
    try:
        adapter.attach(recorder)
    except BaseException:
        writer.close("failed")
        raise
    return Watch(adapter, recorder, path)


def _default_path(optimizer: str) -> Path:
    return Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{optimizer.lower()}-{os.getpid()}"


def _environment() -> dict[str, Any]:
    from optiscope import __version__

    frameworks = {
        name: str(getattr(sys.modules[name], "__version__", "?"))
        for name in ("torch", "keras", "tensorflow", "jax", "paddle", "numpy")
        if name in sys.modules
    }
    return {
        "optiscope": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": frameworks,
        "command": _command(sys.argv),
    }


def _command(arguments: Sequence[str]) -> str:
    # The name of the script without its folder: a path may hold what is nobody else's business.
    return " ".join([Path(arguments[0]).name, *arguments[1:]]) if arguments else ""
