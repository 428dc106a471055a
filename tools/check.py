"""Run every check: format, lint, types and layers, then the tests, in one process per framework; and sum up.

Importing TensorFlow before PaddlePaddle in one process crashes the interpreter, so their adapters' tests run apart;
everything else, PyTorch included, shares the first process and its workers. The coverage of all processes is combined.
A check that fails does not keep the others from running. The exit status is 0 only if all ended well, and the last line
counts the tests of all processes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".cache" / "tests"
STATIC = {
    "format": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "--output-format=concise", "."],
    "lint": [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=concise", "."],
    "types": [sys.executable, "-m", "mypy"],
    "layers": [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
}
"""The checks that read the code without running it."""
APART = {"keras": "tests/frameworks/keras", "paddle": "tests/frameworks/paddle"}
"""Folders whose tests need a process of their own."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one process ended."""

    name: str
    """Name of the process."""
    status: int
    """Exit status of pytest; negative for a signal."""
    passed: int
    failed: int
    """Failures and errors; a process that died without a report counts as one."""
    skipped: int
    """Skipped or expected to fail."""


def ends_well(name: str, command: list[str]) -> bool:
    """Run one static check."""
    print(f"── {name}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def commands(*, fast: bool) -> dict[str, list[str]]:
    """The pytest command of each process, by its name."""
    pytest = [sys.executable, "-m", "pytest", "--quiet"]
    ignored = [f"--ignore={folder}" for folder in APART.values()]
    if fast:
        return {"main": [*pytest, "--numprocesses=2", "-m", "not slow and not browser", *ignored]}
    measured = [*pytest, "--durations=10", "--cov", "--cov-report="]
    alone = {name: [*measured, folder] for name, folder in APART.items()}
    return {"main": [*measured, "--numprocesses=2", *ignored], **alone}


def outcome(name: str, command: list[str]) -> Outcome:
    """Run one process of tests to its end and count them."""
    report = RESULTS / f"{name}.xml"
    environment = {**os.environ, "COVERAGE_FILE": str(RESULTS / f".coverage.{name}")}
    print(f"── tests: {name}", flush=True)
    status = subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, env=environment, check=False).returncode
    if not report.exists():
        print(f"The process {name!r} ended with status {status} and no report.", flush=True)
        return Outcome(name=name, status=status, passed=0, failed=1, skipped=0)
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(count, 0)) for suite in suites) for count in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(name=name, status=status, passed=total - failed - skipped, failed=failed, skipped=skipped)


def print_coverage() -> None:
    """Combine what the processes measured and print the files that are not covered whole."""
    environment = {**os.environ, "COVERAGE_FILE": str(RESULTS / ".coverage")}
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet", str(RESULTS)], cwd=ROOT, env=environment, check=False)
    subprocess.run([*coverage, "report"], cwd=ROOT, env=environment, check=False)


def main() -> int:
    """Run what is asked for; the exit status of the whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="of the tests only the fast ones of the first process")
    fast = parser.parse_args().fast

    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    start = time.monotonic()
    bad = [name for name, command in STATIC.items() if not ends_well(name, command)]
    outcomes = [outcome(name, command) for name, command in commands(fast=fast).items()]
    if not fast:
        print_coverage()

    passed, failed, skipped = (
        sum(getattr(each, count) for each in outcomes) for count in ("passed", "failed", "skipped")
    )
    bad += [f"tests: {each.name} (status {each.status})" for each in outcomes if each.status != 0]
    if bad:
        print(f"Not well: {', '.join(bad)}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - start:.0f} s")
    return 1 if bad or failed else 0


if __name__ == "__main__":
    sys.exit(main())
