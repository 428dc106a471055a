"""Records runs in forked children until somebody kills them. Started by test_kill.py; imports once, forks often.

Reads lines "<folder> <seed>" from standard input, forks a child for each, and answers with its process number.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from optiscope.runs import Position, Row, RunWriter


def record(folder: Path, seed: int) -> None:
    """Log for ever; put the number and the time of each row into a side file, without any buffer."""
    choose = random.Random(seed)
    writer = RunWriter.create(folder / "run", config={"seed": seed})
    side = os.open(folder / "side", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.monotonic()
    step = 0
    while True:
        position = Position(step, time.monotonic() - began)
        writer.log(position, {"number": step, "again": step} if step % 10 == 0 else {"number": step})
        os.write(side, struct.pack("<qd", step, time.time()))
        if step % 25 == 0:
            writer.submit(partial(layers, position))
        if step % 400 == 50:
            writer.snapshot(step, lambda: {"weight": np.arange(5000.0)})
            writer.event("note", "still here", step=step)
        step += 1
        time.sleep(choose.uniform(0.0, 0.004))


def layers(position: Position) -> Iterator[Row]:
    """A row of arrays."""
    yield Row(
        source="layers",
        position=position,
        values={"norm": np.full(50, position.step, dtype=np.float32)},
        labels={"norm": tuple(f"layer{index}" for index in range(50))},
    )


def main() -> None:
    """Fork a child per line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, seed = line.rsplit(maxsplit=1)
        child = os.fork()
        if child == 0:
            record(Path(folder), int(seed))
        print(child, flush=True)


if __name__ == "__main__":
    main()
