"""`optiscope doctor [RUN]`: is everything here that is needed, and is a run whole?"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optiscope.runs.integrity import Integrity

EXIT_DAMAGED = 1
"""Something that is needed is missing, or the run is damaged."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A package that Optiscope needs, or can use."""

    name: str
    """What people call it."""
    module: str
    """What Python imports."""
    distributions: tuple[str, ...]
    """What it may be installed as, most usual first."""
    purpose: str
    """What Optiscope needs it for."""
    extra: str | None = None
    """The extra that installs it; None for what comes with Optiscope itself."""


CORE = tuple(
    Part(name=name, module=module or name, distributions=(name,), purpose=purpose)
    for name, module, purpose in (
        ("numpy", "", "all numbers"),
        ("pyarrow", "", "series on disk"),
        ("safetensors", "", "snapshots on disk"),
        ("filelock", "", "one writer a run"),
        ("plotly", "", "figures"),
        ("matplotlib", "", "printed figures"),
        ("jinja2", "", "reports"),
        ("scipy", "", "statistics"),
        ("jaxtyping", "", "array types"),
        ("typer", "", "this command line"),
        ("rich", "", "this command line"),
    )
)
FRAMEWORKS = (
    Part(name="PyTorch", module="torch", distributions=("torch",), purpose="watching PyTorch training", extra="torch"),
    Part(name="Keras", module="keras", distributions=("keras",), purpose="watching Keras training", extra="keras"),
    Part(
        name="TensorFlow",
        module="tensorflow",
        distributions=("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
        purpose="a backend of Keras",
        extra="keras",
    ),
    Part(name="JAX", module="jax", distributions=("jax",), purpose="a backend of Keras"),
    Part(
        name="PaddlePaddle",
        module="paddle",
        distributions=("paddlepaddle", "paddlepaddle-gpu"),
        purpose="watching Paddle training",
        extra="paddle",
    ),
)
OPTIONAL = (
    Part(
        name="scikit-learn", module="sklearn", distributions=("scikit-learn",), purpose="data of the demo", extra="demo"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One package, found or not."""

    name: str
    """What people call it."""
    found: bool
    """Whether Python can import it. It is looked up, never imported."""
    version: str | None
    """Installed version; None when it is not installed or does not say."""
    purpose: str
    """What Optiscope needs it for."""
    install: str | None
    """How to install it; None when it is there or comes from elsewhere."""


def doctor(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="Folder of a run to check.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")] = False,
) -> None:
    """Check the installation, and with RUN the files of a run. Exit code 1 when something is missing or damaged."""
    machine = _machine()
    groups = {name: [_find(part) for part in parts] for name, parts in _GROUPS.items()}
    missing = [finding.name for finding in groups["core"] if not finding.found]
    integrity = None
    if run is not None and not missing:
        from optiscope.runs.integrity import check_path

        integrity = check_path(run)
    healthy = not missing and (integrity is None or integrity.whole)
    if as_json:
        _print_json(machine, groups, integrity, healthy=healthy)
    else:
        _print(machine, groups, integrity, missing)
    if not healthy:
        raise typer.Exit(EXIT_DAMAGED)


_GROUPS = {"core": CORE, "frameworks": FRAMEWORKS, "optional": OPTIONAL}


def _machine() -> dict[str, str]:
    from optiscope import __version__

    return {
        "optiscope": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": str(os.cpu_count() or "unknown"),
        "executable": sys.executable,
    }


def _find(part: Part) -> Finding:
    """Look a package up without importing it: importing a framework takes seconds and may crash another one."""
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    found = find_spec(part.module) is not None
    installed = None
    for distribution in part.distributions if found else ():
        try:
            installed = version(distribution)
            break
        except PackageNotFoundError:
            continue
    return Finding(
        name=part.name,
        found=found,
        version=installed,
        purpose=part.purpose,
        install=None if found or part.extra is None else f"pip install 'optiscope[{part.extra}]'",
    )


# --------------------------------------------------------------------------------------------------------- printing


def _print_json(
    machine: dict[str, str], groups: dict[str, list[Finding]], integrity: Integrity | None, *, healthy: bool
) -> None:
    from optiscope.cli.output import print_json

    print_json(
        {
            "healthy": healthy,
            "environment": machine,
            **groups,
            "run": None if integrity is None else {**vars(integrity), "whole": integrity.whole},
        }
    )


def _print(
    machine: dict[str, str], groups: dict[str, list[Finding]], integrity: Integrity | None, missing: Sequence[str]
) -> None:
    from optiscope.cli.output import Column, print_table, printable

    for name, value in machine.items():
        typer.echo(f"{name:<11} {value}")
    typer.echo()
    rows = [
        [
            group,
            finding.name,
            (finding.version or "found") if finding.found else "–",
            finding.install or finding.purpose,
        ]
        for group, findings in groups.items()
        for finding in findings
    ]
    print_table([Column(title=title) for title in ("part", "package", "version", "what for, or how to get it")], rows)
    typer.echo()
    if missing:
        typer.echo(f"Missing, and needed: {', '.join(missing)}. Install Optiscope again: pip install optiscope")
    elif not any(finding.found for finding in groups["frameworks"]):
        typer.echo("No framework is installed: runs can be read and drawn, and training loops in NumPy be watched.")
    else:
        typer.echo("Everything that is needed is here; no browser, server or network is needed.")
    if integrity is not None:
        typer.echo()
        typer.echo(
            printable(
                f"Run {integrity.path}: {integrity.status}, {integrity.series} series, {integrity.snapshots} snapshots."
            )
        )
        for problem in integrity.problems:
            typer.echo(printable(f"  ! {problem}"))
        for note in integrity.notes:
            typer.echo(printable(f"  • {note}"))
        if integrity.whole:
            typer.echo("  Whole: every segment, event and snapshot reads.")
