"""The demo: LeNet on real digits with five optimizers, recorded as anyone would record their own training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from optiscope.errors import MissingDependency, RunExists
from optiscope.experiments.demo_arms import ARMS, Arm
from optiscope.problems.tasks import Task, digits, lenet

if TYPE_CHECKING:
    import torch

TAG = "optiscope-demo"
"""Marks the runs that belong to the demo, and that a later demo may replace."""
TARGET_ACCURACY = 0.9
"""Test accuracy whose first attainment is reported."""
_WARM_UP_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """How much the demo trains."""

    epochs: int = 24
    """Passes over the training images."""
    batch_size: int = 64
    """Images in a batch."""
    evaluate_every: int = 10
    """Steps between two measurements of the test accuracy."""
    seeds: tuple[int, ...] = (0, 1)
    """Each seed fixes an initialisation and an order of batches, the same for all optimizers."""
    budget: float = 0.05
    """Most that recording may cost, as a share of the training time."""
    snapshot_every: int = 25
    """Steps between two snapshots of all parameters; the paths are drawn from these."""
    histogram_every: int = 100
    """Steps between two histograms of weights, gradients and updates."""
    arms: tuple[Arm, ...] = ARMS
    """The optimizers with their learning rates."""

    def names(self) -> tuple[str, ...]:
        """Names of the runs, in the order in which they are trained."""
        return tuple(f"{arm.name}-seed{seed}" for arm in self.arms for seed in self.seeds)


QUICK = DemoSettings(epochs=4, batch_size=32, evaluate_every=21)
"""Settings with which the demo takes seconds: enough for every optimizer to pass 90 %."""


@dataclass(frozen=True, kw_only=True)
class DemoProgress:
    """Where the demo is, after one step."""

    run_name: str
    """Run that is being trained."""
    run_index: int
    """Its place among the runs, from 0."""
    runs: int
    """Number of runs."""
    step: int
    """Steps of this run that are completed."""
    steps: int
    """Steps that this run will have."""
    test_accuracy: float | None
    """Last measured test accuracy in [0, 1]; None before the first measurement."""


@dataclass(frozen=True, kw_only=True)
class DemoRun:
    """What came of one run."""

    name: str
    """Name of the run."""
    path: Path
    """Folder of the run."""
    optimizer: str
    """Title of the optimizer, such as "Adam"."""
    seed: int
    """Seed of initialisation and batches."""
    final_loss: float
    """Mean over the last twentieth of the training losses (see `optiscope.analysis.final`), in nats."""
    test_accuracy: float
    """Test accuracy after the last step, in [0, 1]."""
    steps_to_target: int | None
    """First step at which the test accuracy was measured at 90 % or more; None when it never was."""
    steps: int
    """Optimizer steps."""
    seconds: float
    """Time from the first to the last record, in seconds."""
    overhead: float | None
    """Measured time of the recorder as a fraction of the training time; None when it was not measured."""


@dataclass(frozen=True, kw_only=True)
class DemoSummary:
    """One optimizer over its seeds."""

    optimizer: str
    """Title of the optimizer."""
    learning_rate: float
    """Learning rate, tuned once by hand on this task."""
    runs: tuple[DemoRun, ...]
    """Its finished runs."""
    final_loss: float
    """Mean of the runs' final losses."""
    test_accuracy: float
    """Mean of the runs' test accuracies, in [0, 1]."""
    steps_to_target: float | None
    """Mean first step with a test accuracy of 90 %; None when a run never had it."""


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """All runs of the demo that finished, with what came of them."""

    folder: Path
    """Folder that holds the runs."""
    settings: DemoSettings
    """Settings of the demo."""
    runs: tuple[DemoRun, ...]
    """Finished runs in the order of training."""
    replaced: tuple[str, ...]
    """Names of an earlier demo's runs that gave way."""
    interrupted: bool
    """Whether Ctrl-C ended the demo early."""

    def summaries(self) -> tuple[DemoSummary, ...]:
        """Each optimizer over its seeds, in the order of the settings; those without a finished run are left out."""
        return tuple(
            _summarise(arm, runs)
            for arm in self.settings.arms
            if (runs := tuple(run for run in self.runs if run.optimizer == arm.title))
        )


def run_demo(
    folder: str | Path,
    settings: DemoSettings | None = None,
    *,
    on_progress: Callable[[DemoProgress], None] = lambda _: None,
) -> DemoResult:
    """Train LeNet on the digits once per optimizer and seed, and record each run in `folder`.

    All optimizers of a seed start from the same weights and see the same batches. Runs of an earlier demo in `folder`
    give way; anything else there stays. Ctrl-C ends the demo: finished runs stay and are in the result, and so is the
    fact that it was interrupted.

    Raises `MissingDependency` without PyTorch or scikit-learn, and `RunExists`, before anything is trained or removed,
    when a run that is not the demo's is in the way.
    """
    settings = settings or DemoSettings()
    folder = Path(folder)
    finished: list[DemoRun] = []
    interrupted = False
    with _one_thread():
        task = digits()
        replaced = _make_room(folder, settings.names())
        try:
            _warm_up(task, settings)
            for index, (arm, seed) in enumerate((arm, seed) for arm in settings.arms for seed in settings.seeds):
                _train(folder, arm, seed, task, settings, index, on_progress)
                finished.append(_outcome(folder, arm, seed))
        except KeyboardInterrupt:
            interrupted = True
    return DemoResult(
        folder=folder, settings=settings, runs=tuple(finished), replaced=replaced, interrupted=interrupted
    )


def _warm_up(task: Task, settings: DemoSettings) -> None:
    """Record a few steps and throw them away: what loads at the first calls would be the first run's overhead."""
    few = replace(settings, epochs=1, evaluate_every=_WARM_UP_STEPS)
    with TemporaryDirectory(prefix="optiscope-demo-") as folder:
        _train(
            Path(folder), settings.arms[0], settings.seeds[0], task, few, 0, lambda _: None, stop_after=_WARM_UP_STEPS
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: batches this small gain nothing from more, and sums are then the same on every machine."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependency.of("torch", purpose="The demo", extra="demo") from error
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _make_room(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Remove an earlier demo's runs of these names; first make sure that nothing else is in the way."""
    from optiscope.runs import runs

    if not folder.is_dir():
        return ()
    catalogue = runs(folder)
    present = {summary.name: summary for summary in catalogue}
    mine = [name for name in names if name in present and TAG in present[name].tags]
    foreign = [name for name in names if name not in mine and (folder / name).exists()]
    if foreign:
        raise RunExists(
            f"{folder / foreign[0]} exists and was not written by the demo, so it is left alone. "
            "Choose another folder with --out, or move it away."
        )
    for name in mine:
        catalogue.delete(name)
    return tuple(mine)


def _train(
    folder: Path,
    arm: Arm,
    seed: int,
    task: Task,
    settings: DemoSettings,
    index: int,
    on_progress: Callable[[DemoProgress], None],
    *,
    stop_after: int | None = None,
) -> None:
    """Train and record one run: an ordinary PyTorch loop with `watch` around it."""
    import torch

    from optiscope.frameworks.watch import watch
    from optiscope.recording.schedule import every

    mean, deviation = float(task.train_images.mean()), float(task.train_images.std())
    images, test_images = (
        torch.from_numpy((each - mean) / deviation) for each in (task.train_images, task.test_images)
    )
    labels, test_labels = torch.from_numpy(task.train_labels), torch.from_numpy(task.test_labels)
    model = lenet(seed=seed)
    optimizer = arm.build(model.parameters())
    name = f"{arm.name}-seed{seed}"
    steps_per_epoch = len(labels) // settings.batch_size
    steps = settings.epochs * steps_per_epoch
    accuracy = None
    with watch(
        model,
        optimizer,
        run=folder / name,
        config=_config(arm, seed, task, settings),
        tags=(TAG,),
        seed=seed,
        budget=settings.budget,
        snapshots=every(settings.snapshot_every),
        histograms=every(settings.histogram_every),
    ) as watched:
        batches = islice(task.batches(settings.batch_size, epochs=settings.epochs, seed=seed), stop_after)
        for step, batch in enumerate(map(torch.from_numpy, batches), start=1):
            loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            watched.log(loss=loss, epoch=step / steps_per_epoch, samples=step * settings.batch_size)
            if step % settings.evaluate_every == 0 or step == steps:
                accuracy = _accuracy(model, test_images, test_labels)
                watched.log(test_accuracy=accuracy)
            on_progress(
                DemoProgress(
                    run_name=name,
                    run_index=index,
                    runs=len(settings.names()),
                    step=step,
                    steps=steps,
                    test_accuracy=accuracy,
                )
            )


def _config(arm: Arm, seed: int, task: Task, settings: DemoSettings) -> dict[str, object]:
    return {
        "experiment": "optiscope demo",
        "model": "LeNet",
        "data": f"{task.name} (scikit-learn), 28×28, standardised",
        "training images": len(task.train_labels),
        "test images": len(task.test_labels),
        "loss": "cross-entropy",
        "optimizer": arm.title,
        **arm.hyperparameters,
        "batch_size": settings.batch_size,
        "epochs": settings.epochs,
        "seed": seed,
    }


def _accuracy(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images whose largest logit is that of their label. LeNet has no layer that differs in evaluation."""
    import torch

    with torch.no_grad():
        return float((model(images).argmax(dim=1) == labels).float().mean())


def _outcome(folder: Path, arm: Arm, seed: int) -> DemoRun:
    """Read back from the run on disk what came of it."""
    from optiscope.analysis.final import final_value
    from optiscope.runs import open_run

    run = open_run(folder / f"{arm.name}-seed{seed}")
    accuracy = run["test_accuracy"]
    reached = np.flatnonzero(accuracy.values >= TARGET_ACCURACY)
    overhead = run.overhead.get("fraction")
    return DemoRun(
        name=run.name,
        path=run.path,
        optimizer=arm.title,
        seed=seed,
        final_loss=final_value(run["loss"]),
        test_accuracy=float(accuracy.values[-1]),
        steps_to_target=int(accuracy.steps[reached[0]]) if len(reached) else None,
        steps=run.steps,
        seconds=run.seconds,
        overhead=None if overhead is None else float(overhead),
    )


def _summarise(arm: Arm, runs: tuple[DemoRun, ...]) -> DemoSummary:
    reached = [run.steps_to_target for run in runs if run.steps_to_target is not None]
    return DemoSummary(
        optimizer=arm.title,
        learning_rate=arm.learning_rate,
        runs=runs,
        final_loss=float(np.mean([run.final_loss for run in runs])),
        test_accuracy=float(np.mean([run.test_accuracy for run in runs])),
        steps_to_target=float(np.mean(reached)) if len(reached) == len(runs) else None,
    )
