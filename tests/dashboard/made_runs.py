"""Runs for the tests of the runs list: one recorded, and as many copies of its files as wanted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from optiscope.runs import Position, RunWriter


def record(folder: Path, name: str, *, steps=5, config=None, status="finished", losses=None, **described) -> Path:
    """A closed run whose loss falls as 1/(step + 1), or is `losses`."""
    writer = RunWriter.create(folder / name, config={"lr": 0.1} if config is None else config, **described)
    for step, loss in enumerate(losses or [1.0 / (step + 1) for step in range(steps)]):
        writer.log(Position(step, step * 0.1), {"loss": loss})
    writer.close(status)
    return folder / name


def multiply(first: Path, count: int) -> None:
    """`count` copies of the run `first` beside it, each with its own id and learning rate."""
    content = json.loads((first / "run.json").read_text())
    for number in range(count):
        copy = first.with_name(f"{first.name}-{number}")
        shutil.copytree(first, copy)
        changed = {**content, "id": f"{number:032x}", "config": {"lr": number / count, "seed": number % 5}}
        (copy / "run.json").write_text(json.dumps(changed))
