"""`optiscope demo`: ten recorded runs, a report and pictures, from nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optiscope.experiments.demo import DemoProgress, DemoResult, DemoSettings


def demo(
    quick: Annotated[bool, typer.Option("--quick", help="Train less: seconds instead of a minute.")] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the runs, the report and the pictures.")] = Path(
        "optiscope-demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
) -> None:
    """Train LeNet on real digits with five optimizers, record it, and draw what they did.

    SGD, momentum, AdaGrad, RMSprop and Adam, two seeds each; all optimizers of a seed start from the same weights and
    see the same batches. Needs PyTorch and scikit-learn. Ctrl-C keeps the runs that are finished, with their report.
    """
    # Threads of a linear algebra library that wait for each other cost more than they help with matrices this small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from optiscope.experiments.demo import QUICK, DemoSettings

    settings = QUICK if quick else DemoSettings()
    result = _train(out / "runs", settings, quiet=as_json)
    written = _present(result, out)
    if as_json:
        _print_json(result, written)
    else:
        _print(result, written, out)
    if result.interrupted:
        raise typer.Exit(130)


def _train(folder: Path, settings: DemoSettings, *, quiet: bool) -> DemoResult:
    """Run the demo behind a progress bar on stderr; where that is no terminal, with one line a run."""
    import sys

    from optiscope.cli.output import steps_progress
    from optiscope.experiments.demo import run_demo

    if not quiet:
        typer.echo("LeNet on scikit-learn's digits: five optimizers, two seeds each.", err=True)
    if not sys.stderr.isatty():
        return run_demo(folder, settings, on_progress=(lambda _: None) if quiet else _say_when_done)
    with steps_progress() as bar:
        task = bar.add_task("starting", total=None)

        def draw(progress: DemoProgress) -> None:
            accuracy = "" if progress.test_accuracy is None else f" {100 * progress.test_accuracy:.0f} %"
            bar.update(
                task,
                description=f"{progress.run_name} ({progress.run_index + 1}/{progress.runs}){accuracy}",
                completed=progress.run_index * progress.steps + progress.step,
                total=progress.runs * progress.steps,
            )

        return run_demo(folder, settings, on_progress=draw)


def _say_when_done(progress: DemoProgress) -> None:
    if progress.step == progress.steps:
        typer.echo(
            f"  {progress.run_index + 1}/{progress.runs} {progress.run_name}: test accuracy "
            f"{100 * (progress.test_accuracy or 0):.1f} %",
            err=True,
        )


def _present(result: DemoResult, out: Path) -> tuple[Path, ...]:
    """Write the report and the pictures of the finished runs."""
    if not result.runs:
        return ()
    from optiscope.rendering.demo import present_demo

    typer.echo("Drawing the report and the pictures …", err=True)
    return present_demo(result, out)


def _print_json(result: DemoResult, written: tuple[Path, ...]) -> None:
    from optiscope.cli.output import print_json

    print_json(
        {
            "folder": result.folder,
            "interrupted": result.interrupted,
            "replaced": result.replaced,
            "runs": result.runs,
            "optimizers": result.summaries(),
            "files": written,
        }
    )


def _print(result: DemoResult, written: tuple[Path, ...], out: Path) -> None:
    from optiscope.analysis.wording import duration
    from optiscope.cli.output import Column, print_table
    from optiscope.experiments.demo import TARGET_ACCURACY
    from optiscope.rendering.report.wording import number, setting, share
    from optiscope.runs.wording import counted

    if result.replaced:
        typer.echo(f"Took the place of an earlier demo's {counted(len(result.replaced), 'run')} in {result.folder}.")
    if result.interrupted:
        typer.echo(f"Interrupted: {len(result.runs)} of {len(result.settings.names())} runs are finished and kept.")
    if not result.runs:
        return
    typer.echo()
    columns = [
        Column(title="run"),
        Column(title="learning rate", numeric=True),
        Column(title="final loss", numeric=True),
        Column(title="test accuracy", numeric=True),
        Column(title=f"steps to {100 * TARGET_ACCURACY:.0f} %", numeric=True),
        Column(title="time", numeric=True),
        Column(title="overhead", numeric=True),
    ]
    rows = [
        [
            run.name,
            setting(summary.learning_rate),
            number(run.final_loss),
            share(run.test_accuracy),
            "never" if run.steps_to_target is None else str(run.steps_to_target),
            duration(run.seconds),
            share(run.overhead),
        ]
        for summary in result.summaries()
        for run in summary.runs
    ]
    print_table(columns, rows)
    typer.echo("final loss: mean over the last twentieth of the losses. overhead: what recording cost, measured.")
    typer.echo("Two seeds show a spread, they decide nothing.")
    typer.echo()
    report, *pictures = written
    typer.echo(f"Report    {report}  (open it in a browser; it needs no network)")
    typer.echo(f"Pictures  {', '.join(picture.name for picture in pictures)} in {out}")
    typer.echo(f"Runs      optiscope ls {result.folder}")
    typer.echo(f"One run   optiscope show {result.runs[-1].path}")
    typer.echo()
    typer.echo("Your own training loop needs one line:")
    typer.echo('    with osc.watch(model, optimizer, run="runs/mine") as watch:   # import optiscope as osc')
    typer.echo("        ...                                                       # train as before")
    typer.echo("        watch.log(loss=loss)                                      # if you like")
