"""`watch`: one line that records a training loop of any supported framework."""

from __future__ import annotations

import atexit
import itertools
import os
import platform
import shutil
import sys
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from optiscope.errors import ArgumentError, RecordingWarning
from optiscope.frameworks.detect import adapter_for, is_silent_rank
from optiscope.frameworks.protocol import Adapter, Capability
from optiscope.recording.quantities import quantities
from optiscope.recording.recorder import Recorder
from optiscope.recording.request import request_of
from optiscope.recording.schedule import Schedule
from optiscope.runs import Run, RunWriter, open_run, status_after

_PLAIN = frozenset({float, int})
_TIMELINES = ("epoch", "samples")
_MEASURED = frozenset(quantities()) | {"learning_rate", "momentum", "beta1", "beta2", "weight_decay"}
"""Names of measured series, which a metric must not hide."""


class Watch:
    """A live recording. Use it as a context manager, or call `close` at the end; at exit it closes by itself."""

    def __init__(self, adapter: Adapter, recorder: Recorder, path: Path) -> None:
        self.path = path
        """Folder of the run."""
        self._adapter = adapter
        self._recorder = recorder
        self._open = True
        self._said_closed = False
        self._has_logged = False
        self._nonfinite: set[str] = set()
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

    def log(self, values: Mapping[str, object] | None = None, /, **metrics: object) -> None:
        """Record metrics at the present step: any names, at any time, at any cadence.

        Args:
            values: Metrics by name, for names that cannot be keywords; `log({"a/b": 1.0})` and `log(ab=1.0)` mix.
            metrics: Numbers, or tensors of one element; one on an accelerator is fetched without waiting for it.
                `epoch` and `samples` are not metrics but the present positions on those timelines.

        A value that is not a single number is left out, with a warning. Raises `RecordingError` only under `strict`.
        """
        if not self._open:
            self._say_closed()
            return
        recorder = self._recorder
        with recorder.guard:
            if values is not None:
                metrics = self._merged(values, metrics)
            if not _MEASURED.isdisjoint(metrics):
                metrics = self._renamed(metrics)
            if "epoch" in metrics or "samples" in metrics:
                self._advance(metrics)
            if not _PLAIN.issuperset(map(type, metrics.values())):
                metrics = self._numbers(metrics)
            if metrics:
                recorder.log(metrics)
                self._has_logged = True
                if not _have_finite_sum(metrics.values()):
                    self._look_for_nonfinite(metrics)

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
        if not self._open:
            return
        self._open = False
        atexit.unregister(self._recorder.complete)
        try:
            with self._recorder.guard:
                self._adapter.detach()
            self._recorder.complete()
            if status == "finished":
                self._say_if_nothing_was_seen()
        finally:
            self._recorder.writer.close(status)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._open and error is not None and status_after(error) != "finished":
            with self._recorder.guard:
                self._recorder.writer.event("exception", f"{type(error).__name__}: {error}", step=self.step)
        self.close(status_after(error))

    def _say_closed(self) -> None:
        if not self._said_closed:
            self._said_closed = True
            warnings.warn(
                f"This watch is closed, so nothing more is recorded in {self.path}. Log inside the `with` block.",
                RecordingWarning,
                stacklevel=3,
            )

    def _say_if_nothing_was_seen(self) -> None:
        if self._has_logged and all(source.step == self._recorder.first_step for source in self._recorder.sources):
            message = (
                f"Metrics were logged to {self.path}, but the watched optimizer took no step. "
                "Was another optimizer made after watch()?"
            )
            self._recorder.writer.event("no-steps", message, step=self.step)
            warnings.warn(message, RecordingWarning, stacklevel=4)

    def _merged(self, values: object, metrics: dict[str, object]) -> dict[str, object]:
        if isinstance(values, Mapping):
            return {**{str(name): value for name, value in values.items()}, **metrics}
        self._recorder.guard.fault(
            f"log takes names, as in watch.log(loss=loss), or a mapping. Received: {type(values).__name__}", key="log"
        )
        return metrics

    def _renamed(self, metrics: Mapping[str, object]) -> dict[str, object]:
        for name in sorted(_MEASURED & metrics.keys()):
            self._recorder.guard.fault(
                f"the metric {name!r} is recorded as 'logged/{name}', because {name!r} is measured.", key=f"name {name}"
            )
        return {f"logged/{name}" if name in _MEASURED else name: value for name, value in metrics.items()}

    def _look_for_nonfinite(self, metrics: Mapping[str, object]) -> None:
        """The first time that a metric is not finite, note it and measure the next step whole."""
        for name, value in metrics.items():
            if type(value) is float and not isfinite(value) and name not in self._nonfinite:
                self._nonfinite.add(name)
                self._recorder.writer.event("nonfinite-metric", f"{name} is {value}.", step=self.step, metric=name)
                for source in self._recorder.sources:
                    source.measure_next()

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
        self._said_closed = True  # silence is what it is for
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
            fewer steps. None measures every quantity at every step; histograms and snapshots keep their schedules. The
            cost that was measured is stored either way.
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
    if isinstance(tags, str):
        raise ArgumentError(f"tags is a list of words, such as ['baseline']. Received: {tags!r}")
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
    model_description = adapter.describe_model()
    if resume:
        _refuse_other_model(path, model_description)
    writer = RunWriter.create(
        path,
        config=dict(config or {}),
        model=model_description,
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
        if not resume:
            shutil.rmtree(path, ignore_errors=True)  # there is nothing in it, and the next try wants the name
        raise
    return Watch(adapter, recorder, path)


def _have_finite_sum(numbers: Iterable[Any]) -> bool:
    """Whether all are finite, told by one addition each; False also for what is still on its way from a device."""
    try:
        return isfinite(sum(numbers))
    except (TypeError, OverflowError):
        return False


def _refuse_other_model(path: Path, model: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` if the run to be resumed is of other tensors."""
    if not (path / "run.json").exists():
        return
    earlier = {tensor["name"]: list(tensor["shape"]) for tensor in open_run(path).model.get("tensors", ())}
    present = {tensor["name"]: list(tensor["shape"]) for tensor in model["tensors"]}
    if earlier and earlier != present:
        odd = sorted(name for name in earlier.keys() | present.keys() if earlier.get(name) != present.get(name))
        raise ArgumentError(
            f"The run at {path} is of another model, so it cannot be resumed with this one: "
            f"{', '.join(odd[:5])} differ. Choose another name, or delete the run first (overwrite=True)."
        )


def _default_path(optimizer: str) -> Path:
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{optimizer.lower()}-{os.getpid()}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
    return next(path for path in (Path("runs") / name for name in names) if not path.exists())


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
