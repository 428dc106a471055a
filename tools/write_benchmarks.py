"""Run every script of benchmarks/ and write docs/benchmarks.md: what each printed, and whether its bars hold.

A bar that does not hold is reported, not judged. The exit status is 1 only if a script failed to run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
NOTE = "<!-- Written by `make bench`. Change the benchmarks, not this page. -->"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one benchmark said."""

    name: str
    table: str
    """What it printed for people."""
    result: Mapping[str, Any]
    """Its last line; empty if the script failed."""


def scripts() -> list[Path]:
    """The benchmarks: scripts with a main block, so not the modules that they share."""
    return [
        path
        for path in sorted((ROOT / "benchmarks").glob("*.py"))
        if '__name__ == "__main__"' in path.read_text("utf-8")
    ]


def outcome(path: Path, *, quick: bool) -> Outcome:
    """Run one benchmark; what it prints appears at once."""
    print(f"── benchmark: {path.stem}", flush=True)
    command = [sys.executable, str(path), *(["--quick"] if quick else [])]
    lines: list[str] = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode != 0 or not lines:
        return Outcome(name=path.stem, table=f"Failed with exit status {process.returncode}.", result={})
    return Outcome(name=path.stem, table="\n".join(lines[:-1]).strip("\n"), result=json.loads(lines[-1]))


def section(outcome: Outcome) -> str:
    """The part of the page about one benchmark."""
    lines = [f"## {outcome.name}", ""]
    bars = outcome.result.get("bars", {})
    if bars:
        lines += ["| bar | measured | wanted | |", "| --- | --- | --- | --- |"]
        for name, bar in bars.items():
            lines.append(
                f"| {name} | {bar['value']} | {bar['bar']} | {'holds' if bar['holds'] else '**does not hold**'} |"
            )
        lines.append("")
    return "\n".join([*lines, "```", outcome.table, "```"])


def page(outcomes: list[Outcome], *, quick: bool) -> str:
    """The whole page."""
    machine: Mapping[str, object] = next((each.result["machine"] for each in outcomes if each.result), {})
    about = ", ".join(f"{key} {value}" for key, value in machine.items())
    day = f"{datetime.now(UTC):%Y-%m-%d}{' (short round)' if quick else ''}"
    head = f"# Benchmarks\n\n{NOTE}\n\nMeasured on {day}. Machine: {about}."
    return "\n\n".join([head, *(section(each) for each in outcomes)]) + "\n"


def main() -> int:
    """Run all and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short round, for trying the benchmarks out")
    quick = parser.parse_args().quick
    outcomes = [outcome(path, quick=quick) for path in scripts()]
    PAGE.write_text(page(outcomes, quick=quick), encoding="utf-8")
    return 0 if all(each.result for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
