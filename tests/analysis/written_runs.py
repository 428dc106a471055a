"""Runs with exactly the numbers that a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optiscope.runs import Position, Run, RunWriter, open_run


def write(
    path: Path,
    values: Sequence[float] | NDArray[np.float64] = (),
    *,
    steps: Sequence[int] | None = None,
    metric: str = "loss",
    config: Mapping[str, object] | None = None,
    optimizer: str = "",
    snapshots: Mapping[int, Mapping[str, NDArray[np.generic]]] | None = None,
) -> Run:
    """A run with one metric, at steps 1, 2, … unless said, 0.1 seconds apart, and with snapshots."""
    described = {"name": optimizer, "groups": []} if optimizer else {}
    with RunWriter.create(path, config=dict(config or {}), optimizer=described) as writer:
        for row, value in enumerate(values):
            step = row + 1 if steps is None else steps[row]
            writer.log(Position(step=step, seconds=0.1 * step), {metric: value})
        for step, tensors in (snapshots or {}).items():
            writer.snapshot(step, partial(dict, tensors))
    return open_run(path)
