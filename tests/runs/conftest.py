"""A run to write into, and rows to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from optiscope.runs import Position, Row, RunWriter


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    """Where the run of a test goes."""
    return tmp_path / "runs" / "adam"


@pytest.fixture
def writer(run_path: Path) -> Iterator[RunWriter]:
    """A writer of a new run; closed after the test."""
    writer = RunWriter.create(run_path, config={"lr": 1e-3})
    yield writer
    writer.close()


def layer_row(step: int, norms: list[float], labels: tuple[str, ...], dtype: str = "float32") -> Row:
    """A row as the recorder hands it over."""
    return Row(
        source="layers",
        position=Position(step, step * 0.1),
        values={"norm": np.array(norms, dtype=dtype), "norm/global": float(np.linalg.norm(norms))},
        labels={"norm": labels},
    )


def submit(writer: RunWriter, *rows: Row) -> None:
    """Hand `rows` over as the recorder does: as a job for the writer's thread."""
    writer.submit(lambda: rows)


@pytest.fixture
def finished_run(run_path: Path) -> Path:
    """A small finished run: 20 steps of loss, accuracy every fifth, norms of two layers, one snapshot, one note."""
    with RunWriter.create(run_path, config={"lr": 1e-3}, tags=("first",), note="a note", seed=7) as writer:
        for step in range(20):
            values = {"loss": 1.0 / (step + 1), "accuracy": step / 20} if step % 5 == 0 else {"loss": 1.0 / (step + 1)}
            writer.log(Position(step, step * 0.1), values)
        writer.submit(lambda: [layer_row(step, [step, step + 0.5], ("conv", "fc")) for step in range(20)])
        writer.snapshot(10, lambda: {"fc": np.arange(6, dtype=np.float32).reshape(2, 3)})
        writer.event("note", "half way", step=10, reason="test")
    return run_path
