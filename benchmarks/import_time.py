"""How long `import optiscope` takes in a fresh interpreter, beside packages that people use for the same purpose."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys

BAR = 0.3
"""Seconds that `import optiscope` may take."""
PEERS = ("optiscope", "torch.utils.tensorboard", "wandb", "cockpit")
SCRIPT = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds(package: str) -> float:
    """The import time of one fresh interpreter, without the interpreter's own start."""
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT.format(package)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def installed(package: str) -> bool:
    """Whether the package is there; its top-level package alone is looked up, so that nothing is imported."""
    return importlib.util.find_spec(package.partition(".")[0]) is not None


def main() -> None:
    """Measure in turns and print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds instead of eleven")
    rounds = 3 if parser.parse_args().quick else 11

    present = [package for package in PEERS if installed(package)]
    for package in present:
        seconds(package)  # fills the caches of the disk and of compiled files
    times: dict[str, list[float]] = {package: [] for package in present}
    for _ in range(rounds):
        for package in present:
            times[package].append(seconds(package))
    medians = {package: statistics.median(measured) for package, measured in times.items()}

    print(f"{'import':<26} {'median':>9} {'least':>9}   of {rounds} fresh interpreters")
    for package, median in medians.items():
        print(f"{package:<26} {median * 1e3:>6.0f} ms {min(times[package]) * 1e3:>6.0f} ms")

    value = medians["optiscope"]
    report = {
        "benchmark": "import_time",
        "machine": {"cpu": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "figures": {f"{package} seconds": round(median, 4) for package, median in medians.items()},
        "bars": {"import_seconds": {"value": round(value, 4), "bar": f"< {BAR}", "holds": value < BAR}},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
