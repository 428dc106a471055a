"""A folder of small runs, and a way to call the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from optiscope.cli.app import app
from tests.figures.sample_runs import train


@dataclass(frozen=True, kw_only=True)
class Called:
    """What a call of the command line came to."""

    code: int
    """Exit code."""
    out: str
    """What it printed on stdout."""
    err: str
    """What it printed on stderr."""

    @property
    def json(self) -> Any:
        """Everything on stdout, which must be JSON and nothing else."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


Call = Callable[..., Called]


@pytest.fixture
def call() -> Call:
    """Call the command line within this process."""

    def run(*arguments: object) -> Called:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="optiscope")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Called(code=result.exit_code, out=result.stdout, err=result.stderr)

    return run


@pytest.fixture
def call_process() -> Call:
    """Call the command line as a process of its own."""

    def run(*arguments: object, cwd: Path | None = None) -> Called:
        done = subprocess.run(
            [sys.executable, "-m", "optiscope", *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            cwd=cwd,
            timeout=60,
            check=False,
            env={**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "error"},
        )
        return Called(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: adam (finished), momentum (failed) and sgd (finished, of NaN)."""
    folder = tmp_path_factory.mktemp("cli") / "runs"
    train(folder / "adam", steps=40)
    train(folder / "momentum", optimizer="momentum", steps=30, status="failed")
    train(folder / "sgd", optimizer="sgd", steps=20, poison=10)
    return folder
