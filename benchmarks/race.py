"""Races: our batched rules beside a loop over torch.optim, fair tuning, the command from a cold start, and a film."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from optiscope.experiments.race.divergence import divergence_bound
from optiscope.experiments.race.entrants import entrants
from optiscope.experiments.race.simulation import summarise
from optiscope.experiments.race.starts import tuning_starts
from optiscope.experiments.race.tuning import tune_all
from optiscope.optimizers.registry import rule
from optiscope.problems.functions.registry import function

ROWS, STEPS = 10_000, 1_000
TUNED = "sgd,momentum,nesterov,adagrad,rmsprop,adam,nadam,lion"
TRIALS, TUNING_STEPS, STARTS = 200, 500, 5
COMMAND = "race beale --optimizers sgd,momentum,adam --start=-1.5,2 --steps 200 --out"
FILM = "race --preset saddle --out"

MAIN = """
import sys
sys.argv = ["optiscope", *sys.argv[1:]]
from optiscope.cli import main
try:
    main()
except SystemExit:
    pass
print("loaded:", *[name for name in ("torch", "tensorflow", "keras", "paddle", "jax") if name in sys.modules])
"""


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def torch_adam(steps: int) -> None:
    """One trajectory of torch.optim.Adam on Rosenbrock, with autograd, as people write it."""
    x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def batched_adam(dtype: type[np.floating]) -> None:
    """The same from thousands of starts at once."""
    problem = function("rosenbrock")
    low, high = problem.bounds.T
    starts = (low + (high - low) * np.random.default_rng(0).random((ROWS, 2))).astype(dtype)
    summarise(
        problem,
        rule("adam", learning_rate=0.01),
        starts,
        steps=STEPS,
        seeds=np.zeros(ROWS, dtype=np.int64),
        bound=divergence_bound(problem),
    )


def tuning() -> None:
    """Eight optimizers, the same number of trials each."""
    problem = function("rosenbrock")
    starts = tuning_starts(problem, problem.start[None], seed=0)
    assert len(starts) == STARTS
    tune_all(
        problem,
        entrants(TUNED),
        trials=TRIALS,
        starts=starts,
        seeds=np.zeros(1, dtype=np.int64),
        steps=TUNING_STEPS,
        bound=divergence_bound(problem),
        seed=0,
    )


def command(arguments: str, target: Path) -> tuple[float, str]:
    """Wall time of one command in a fresh interpreter, and the frameworks that it loaded."""
    start = time.perf_counter()
    # As installed: with compiled modules, whatever the environment says about writing them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments.split(), str(target)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    took = time.perf_counter() - start
    assert target.stat().st_size > 0
    return took, done.stdout.rpartition("loaded:")[2].strip()


def main() -> None:
    """Measure in turns and print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 2 if parser.parse_args().quick else 5

    torch_adam(20)
    batched_adam(np.float32)
    torch_steps = 500
    theirs, ours, ours32 = [], [], []
    for _ in range(rounds):
        theirs.append(seconds(lambda: torch_adam(torch_steps)) / torch_steps)
        ours.append(seconds(lambda: batched_adam(np.float64)) / (ROWS * STEPS))
        theirs.append(seconds(lambda: torch_adam(torch_steps)) / torch_steps)
        ours32.append(seconds(lambda: batched_adam(np.float32)) / (ROWS * STEPS))
    step, row, row32 = (statistics.median(times) for times in (theirs, ours, ours32))
    tune_seconds = statistics.median(seconds(tuning) for _ in range(min(rounds, 3)))
    with tempfile.TemporaryDirectory() as folder:
        pages = [command(COMMAND, Path(folder) / "race.html") for _ in range(rounds + 1)]
        film_seconds, _ = command(FILM, Path(folder) / "race.mp4")
    page_seconds = statistics.median(took for took, _ in pages)
    frameworks = pages[-1][1]

    print(f"one step of torch.optim.Adam with autograd {step * 1e6:10.1f} µs")
    print(f"one row and step of ours, float64          {row * 1e6:10.4f} µs   {step / row:10,.0f} × cheaper")
    print(f"one row and step of ours, float32          {row32 * 1e6:10.4f} µs   {step / row32:10,.0f} × cheaper")
    print(f"tuning 8 × {TRIALS} trials × {TUNING_STEPS} steps × {STARTS} starts {tune_seconds:6.2f} s")
    print(
        f"optiscope race … --out race.html, cold     {page_seconds:10.2f} s   frameworks loaded: {frameworks or 'none'}"
    )
    print(f"a film of 150 steps at 1280×720            {film_seconds:10.2f} s")
    bars = {
        "adam_times_cheaper": (step / row, ">= 20000", step / row >= 20_000),
        "tuning_seconds": (tune_seconds, "< 10", tune_seconds < 10),
        "page_seconds": (page_seconds, "< 2.5", page_seconds < 2.5),
        "frameworks_loaded": (len(frameworks.split()), "== 0", not frameworks),
        "film_seconds": (film_seconds, "< 25", film_seconds < 25),
    }
    report = {
        "benchmark": "race",
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "figures": {
            "torch_step_us": step * 1e6,
            "row_step_us": row * 1e6,
            "row_step_float32_us": row32 * 1e6,
            "float32_times_cheaper": step / row32,
        },
        "bars": {
            name: {"value": round(value, 3), "bar": bar, "holds": holds} for name, (value, bar, holds) in bars.items()
        },
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
