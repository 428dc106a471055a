"""`optiscope race`: optimizers on one problem, as a table, a page, a picture or a film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiscope.errors import ArgumentError

if TYPE_CHECKING:
    from optiscope.experiments.race.result import Entry, Race
    from optiscope.experiments.race.tuning import Progress
    from optiscope.problems.functions.function import Function


def race(
    context: typer.Context,
    problem: Annotated[
        str | None,
        typer.Argument(metavar="[PROBLEM]", help='Name, such as beale or "rosenbrock(dimension=10)"; or FILE.py:NAME.'),
    ] = None,
    optimizers: Annotated[
        str,
        typer.Option(
            help='Names with commas: sgd, "adam(learning_rate=0.1)", torch.Adam, pytorch_optimizer.Lion; "all" for all '
            "of our own.",
        ),
    ] = "sgd,momentum,adam",
    start: Annotated[
        list[str] | None, typer.Option(help="Where to begin: --start=-1.5,2; again for more starts.")
    ] = None,
    grid: Annotated[int | None, typer.Option(help="Begin at a grid of this many points along each axis.")] = None,
    steps: Annotated[int, typer.Option(help="Length of each path.")] = 200,
    tune: Annotated[
        int | None,
        typer.Option(help="Trials for each optimizer; 0: none. By default 24 for those without any setting."),
    ] = None,
    noise: Annotated[float, typer.Option(help="Standard deviation of noise on each coordinate of the gradient.")] = 0.0,
    seeds: Annotated[int | None, typer.Option(help="Repetitions with other noise.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn at random.")] = 0,
    reach: Annotated[
        int | None, typer.Option(help="Starts from which to count how often the target is reached; 100 with --tune.")
    ] = None,
    load: Annotated[
        list[Path] | None, typer.Option(help="Python file that registers optimizers of your own; again for more.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="A race with known answers: sphere, saddle or fit.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File: .html, .png, .svg, .pdf, .mp4, .gif or .json.")
    ] = None,
    view: Annotated[
        str | None, typer.Option(help="What to draw in a picture or film: contour, surface, curves, internals …")
    ] = None,
    theme: Annotated[str | None, typer.Option(help="light or dark; a page follows its reader by default.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the pictures.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
) -> None:
    """Let optimizers minimise one problem from the same start, fairly tuned, and show it.

    Optimizers named without settings are tuned with 24 trials each, judged by the loss they reach; `--tune 60` gives
    each 60, `--tune 0` leaves the defaults, which were made for networks. `optiscope problems` and `optiscope
    optimizers` list the names.
    """
    _check_output(out, theme)
    if preset is not None:
        run = _preset(preset, context)
        view = view or (None if out is None or out.suffix.lower() == ".html" else _preset_view(preset))
        _check_view(run.problem, out, view)
        run = replace(run, title=title) if title else run
    else:
        from optiscope.cli.own_code import problem_of, run_file
        from optiscope.experiments.race.race import race as run_race

        if problem is None:
            raise ArgumentError("Name a problem, such as beale, or a --preset. `optiscope problems` lists them.")
        for file in load or ():
            run_file(file)
        chosen = problem_of(problem)
        _check_view(chosen, out, view)
        points = [_point(text) for text in start] if start else None
        with _tuning_progress(quiet=as_json) as progress:
            run = run_race(
                chosen,
                optimizers,
                start=points,
                steps=steps,
                tune=tune,
                grid=grid,
                noise=noise,
                seeds=seeds,
                seed=seed,
                reach=reach,
                title=title,
                progress=progress,
            )
    if as_json:
        _print_json(run)
    else:
        _print(run)
    if out is not None:
        _write(run, out, view=view, theme=theme, quiet=as_json)


_WITH_A_PRESET = frozenset({"preset", "out", "view", "theme", "title", "as_json"})
"""Parameters that mean something beside a preset: it has its own problem, optimizers and settings."""


def _preset(name: str, context: typer.Context) -> Race:
    from optiscope.experiments.race.presets import preset

    given = [
        one
        for one in context.params
        if one not in _WITH_A_PRESET and getattr(context.get_parameter_source(one), "name", "") == "COMMANDLINE"
    ]
    if given:
        raise ArgumentError(
            "A preset has its own problem, optimizers and settings. Leave one away. "
            f"Received: --preset {name} with {', '.join(given)}."
        )
    return preset(name)


def _preset_view(name: str) -> str:
    from optiscope.experiments.race.presets import PRESETS

    return PRESETS[name].view


def _check_output(out: Path | None, theme: str | None) -> None:
    """What can be known to fail before any race."""
    if theme is not None:
        from optiscope.figures.theme import theme_named

        theme_named(theme)
    if out is not None:
        from optiscope.rendering.save import checked_target

        checked_target(out)


def _check_view(problem: Function, out: Path | None, view: str | None) -> None:
    from optiscope.figures.plot import check_race_view

    film = out is not None and out.suffix.lower() in (".mp4", ".gif")
    if view is not None or film:
        # Without a wish a film shows the contour.
        check_race_view(problem, view or "contour", film=film)


def _point(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ArgumentError(f"A start is numbers with commas, such as --start=-1.5,2. Received: {text!r}.") from None


def _print(race: Race) -> None:
    from optiscope.cli.output import Column, print_table, printable

    paths = len(race.paths) // len(race.entries)
    median = f", median of {paths} paths" if paths > 1 else ""
    typer.echo(printable(f"{race.title}: {race.steps} steps from {_starts(race)}{median}"))
    columns = [
        Column(title="rank", numeric=True),
        Column(title="optimizer"),
        Column(title="loss at the end", numeric=True),
        Column(title="mean of the last 5 %", numeric=True),
        *([Column(title="reaches the target", numeric=True)] if race.entries[0].reached is not None else []),
        Column(title="settings"),
    ]
    print_table(columns, [_row(entry) for entry in race.entries])
    for note in race.notes:
        typer.echo(printable(f"• {note}"))


def _starts(race: Race) -> str:
    if len(race.starts) > 1:
        return f"{len(race.starts)} starts"
    point = race.starts[0]
    shown = ", ".join(f"{value:g}" for value in point[:4])
    return f"({shown}{', …' if len(point) > 4 else ''})"


def _row(entry: Entry) -> list[str]:
    import numpy as np

    reached = [] if entry.reached is None else [f"{100 * np.isfinite(entry.reached).mean():.0f} %"]
    shown = ", ".join(f"{name}={_short(entry.settings[name])}" for name in entry.chosen)
    end = float(np.median(entry.final))
    judged = float(np.median(entry.settled))
    words = f"{judged:.6g}" if np.isfinite(judged) else "diverged" if not np.isfinite(end) else "left the domain"
    return [str(entry.rank), entry.label, f"{end:.6g}", words, *reached, shown]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print_json(race: Race) -> None:
    import numpy as np

    from optiscope.cli.output import print_json

    print_json(
        {
            "problem": race.problem.name,
            "steps": race.steps,
            "starts": race.starts.tolist(),
            "seeds": race.seeds.tolist(),
            "trials": race.trials,
            "target": race.target,
            "optimizers": [
                {
                    "label": entry.label,
                    "rule": entry.rule,
                    "rank": entry.rank,
                    "final_losses": entry.final.tolist(),
                    "judged_losses": entry.settled.tolist(),
                    "settings": {name: _plain(value) for name, value in entry.settings.items()},
                    "reached": None if entry.reached is None else float(np.isfinite(entry.reached).mean()),
                    "ends": [path.points[-1].tolist() for path in race.paths_of(entry.label)],
                    "diverged_at": [path.diverged_at for path in race.paths_of(entry.label)],
                }
                for entry in race.entries
            ],
            "critical_points": [
                {"kind": one.kind, "point": one.point.tolist(), "value": one.value} for one in race.critical_points
            ],
            "notes": race.notes,
        }
    )


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str | bool | None) else str(value)


@contextmanager
def _tuning_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar on stderr while tuning; nothing where that is no terminal."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield None
        return
    from optiscope.cli.output import steps_progress

    with steps_progress(unit="trials") as bar:
        task = bar.add_task("tuning", total=None)

        def draw(label: str, done: int, trials: int) -> None:
            bar.update(task, description=f"tuning {label}", completed=done, total=trials)

        yield draw


def _write(race: Race, out: Path, *, view: str | None, theme: str | None, quiet: bool) -> None:
    """Draw the race into the file, with a bar on stderr while a film is made."""
    import sys

    from optiscope.rendering.save import save

    options: dict[str, Any] = {} if view is None else {"view": view}
    if quiet or not sys.stderr.isatty() or out.suffix.lower() not in (".mp4", ".gif"):
        save(race, out, theme=theme, **options)  # type: ignore[arg-type]
    else:
        from optiscope.cli.output import steps_progress

        with steps_progress(unit="frames") as bar:
            task = bar.add_task("filming", total=None)
            save(
                race,
                out,
                theme=theme,  # type: ignore[arg-type]
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                **options,
            )
    if not quiet:
        typer.echo(f"Wrote {out}")
