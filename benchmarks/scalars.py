"""How fast rows of 100 metrics get into a file, how much room they take, and how fast a large run opens and draws.

Each tool records the same rows of the same 100 numbers, and the clock stops when it says that they are in its file:
for us `RunWriter.flush`, for TensorBoard `SummaryWriter.flush`, for wandb (offline) `run.finish`, which is the only
call that waits for its file. The tools take turns; the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from optiscope.runs import Position, RunWriter, open_run

METRICS = 100
NAMES = [f"metric {index}" for index in range(METRICS)]
POINTS_BAR = 5e6
BYTES_BAR = 9.0
OPEN_BAR = 0.5

Rows = list[dict[str, float]]


def rows_of(count: int) -> Rows:
    """Rows of distinct random numbers, made before any clock runs: a training loop has its metrics already."""
    numbers = np.random.default_rng(0).normal(size=(count, METRICS)).tolist()
    return [dict(zip(NAMES, row, strict=True)) for row in numbers]


def bytes_in(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def record_with_optiscope(rows: Rows, folder: Path) -> float:
    writer = RunWriter.create(folder / "run")
    began = time.perf_counter()
    for step, row in enumerate(rows):
        writer.log(Position(step, time.perf_counter() - began), row)
    if not writer.flush(timeout=300):
        raise RuntimeError("the rows did not reach the file")
    elapsed = time.perf_counter() - began
    writer.close()
    if writer.rows_dropped:
        raise RuntimeError(f"{writer.rows_dropped} rows were dropped")
    return elapsed


def record_with_tensorboard(rows: Rows, folder: Path) -> float:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    began = time.perf_counter()
    for step, row in enumerate(rows):
        for name, value in row.items():
            writer.add_scalar(name, value, step)
    writer.flush()
    elapsed = time.perf_counter() - began
    writer.close()
    return elapsed


def record_with_wandb(rows: Rows, folder: Path) -> float:
    import wandb

    os.environ.update(
        WANDB_MODE="offline", WANDB_SILENT="true", WANDB_CACHE_DIR=str(folder), WANDB_DATA_DIR=str(folder)
    )
    settings = wandb.Settings(mode="offline", silent=True, console="off", x_disable_stats=True, save_code=False)
    run = wandb.init(project="scalars", dir=str(folder), settings=settings)
    began = time.perf_counter()
    for row in rows:
        run.log(row)
    run.finish()
    return time.perf_counter() - began


TOOLS: dict[str, tuple[Callable[[Rows, Path], float], tuple[str, ...], str]] = {
    "optiscope": (record_with_optiscope, (), "*"),
    "tensorboard": (record_with_tensorboard, ("torch", "tensorboard"), "*tfevents*"),
    "wandb": (record_with_wandb, ("wandb",), "*.wandb"),
}
"""How each records, the packages that it needs, and which of its files hold the numbers."""


def measure_recording(rounds: int, counts: dict[str, int]) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Points a second and bytes a point of each tool, and why a tool is missing."""
    missing: dict[str, str] = {}
    rates: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    rows = rows_of(max(counts.values()))
    for turn in range(rounds):
        for tool, (record, needs, pattern) in TOOLS.items():
            absent = [package for package in needs if importlib.util.find_spec(package) is None]
            if absent:
                missing[tool] = f"{absent[0]} is not installed"
            if tool in missing:
                continue
            chosen = rows[: counts[tool]]
            with tempfile.TemporaryDirectory() as folder:
                try:
                    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                        warnings.simplefilter("ignore")
                        if turn == 0:
                            record(rows[:50], Path(folder) / "warm-up")
                        target = Path(folder) / "measured"
                        target.mkdir()
                        elapsed = record(chosen, target)
                except Exception as error:
                    missing[tool] = f"{type(error).__name__}: {error}"
                    continue
                points = len(chosen) * METRICS
                rates.setdefault(tool, []).append(points / elapsed)
                sizes.setdefault(tool, []).append(bytes_in(target, pattern) / points)
    return (
        {tool: statistics.median(measured) for tool, measured in rates.items()},
        {tool: statistics.median(measured) for tool, measured in sizes.items()},
        missing,
    )


def write_large_run(path: Path, rows: int) -> None:
    """Ten metrics over `rows` rows."""
    names = [f"metric {index}" for index in range(10)]
    numbers = np.cumsum(np.random.default_rng(1).normal(size=(1000, 10)), axis=0).tolist()
    with RunWriter.create(path) as writer:
        for step in range(rows):
            writer.log(Position(step, step * 1e-3), dict(zip(names, numbers[step % 1000], strict=True)))


def measure_opening(rounds: int, rows: int) -> dict[str, float]:
    """Seconds to open a run and read one series, and to draw it, as medians."""
    from optiscope.figures import plot

    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_large_run(Path(folder) / "run", rows)
        plot(open_run(Path(folder) / "run")["metric 3"])  # loads the plotting library
        for _ in range(rounds):
            began = time.perf_counter()
            series = open_run(Path(folder) / "run")["metric 3"]
            read = time.perf_counter()
            if len(series) != rows:
                raise RuntimeError(f"{len(series)} of {rows} rows were read")
            seconds.setdefault("read", []).append(read - began)
            plot(series).to_json()
            seconds.setdefault("draw", []).append(time.perf_counter() - read)
            seconds.setdefault("open, read and draw", []).append(time.perf_counter() - began)
    return {what: statistics.median(measured) for what, measured in seconds.items()}


def main() -> None:
    """Measure and print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and rows")
    quick = parser.parse_args().quick
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorBoard loads TensorFlow where it is installed

    rounds = 3 if quick else 7
    counts = {
        "optiscope": 10_000 if quick else 50_000,
        "tensorboard": 100 if quick else 500,
        "wandb": 500 if quick else 2000,
    }
    rates, sizes, missing = measure_recording(rounds, counts)
    rows = 100_000 if quick else 1_000_000
    opening = measure_opening(rounds, rows)

    print(f"Rows of {METRICS} metrics until they are in the file, medians of {rounds} turns")
    print(f"{'tool':<12} {'points/s':>14} {'bytes/point':>12} {'rows':>8}")
    for tool in TOOLS:
        if tool in rates:
            print(f"{tool:<12} {rates[tool]:>14,.0f} {sizes[tool]:>12.2f} {counts[tool]:>8,}")
        else:
            print(f"{tool:<12} not measured: {missing[tool]}")
    print(f"\nOne series of {rows:,} rows in a run of {rows * 10:,} points")
    for what, measured in opening.items():
        print(f"{what:<20} {measured * 1e3:>8.1f} ms")

    figures: dict[str, object] = {}
    for tool in TOOLS:
        if tool in rates:
            figures |= {
                f"{tool} points_per_second": round(rates[tool]),
                f"{tool} bytes_per_point": round(sizes[tool], 3),
            }
        else:
            figures[f"{tool} not_measured"] = missing[tool]
    figures |= {f"{what} seconds": round(measured, 4) for what, measured in opening.items()} | {"opened_rows": rows}
    to_open = opening.get("open, read and draw", opening["read"])
    report = {
        "benchmark": "scalars",
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "figures": figures,
        "bars": {
            "points_per_second": {
                "value": round(rates["optiscope"]),
                "bar": f">= {POINTS_BAR:.0f}",
                "holds": rates["optiscope"] >= POINTS_BAR,
            },
            "bytes_per_point": {
                "value": round(sizes["optiscope"], 3),
                "bar": f"<= {BYTES_BAR}",
                "holds": sizes["optiscope"] <= BYTES_BAR,
            },
            "open_and_draw_seconds": {"value": round(to_open, 4), "bar": f"< {OPEN_BAR}", "holds": to_open < OPEN_BAR},
        },
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
