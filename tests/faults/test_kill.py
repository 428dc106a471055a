from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optiscope.runs import open_run

KILLS = 50
TOGETHER = 10
ZYGOTE = Path(__file__).with_name("kill_zygote.py")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")]


def wait_for(condition, seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def rows_logged(folder: Path) -> list[tuple[int, float]]:
    content = (folder / "side").read_bytes()
    return list(struct.iter_unpack("<qd", content[: len(content) // 16 * 16]))


@pytest.fixture(scope="module")
def killed_runs(tmp_path_factory) -> list[tuple[Path, float]]:
    """Fifty runs, each killed at a random moment, with the moment of the kill."""
    choose = random.Random(20240229)
    root = tmp_path_factory.mktemp("killed")
    killed = []
    with subprocess.Popen(
        [sys.executable, str(ZYGOTE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as zygote:
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        try:
            for first in range(0, KILLS, TOGETHER):
                alive = []
                for index in range(first, first + TOGETHER):
                    folder = root / str(index)
                    folder.mkdir()
                    zygote.stdin.write(f"{folder} {index}\n")
                    zygote.stdin.flush()
                    pid = int(zygote.stdout.readline())
                    wait_for(lambda folder=folder: (folder / "side").exists() and rows_logged(folder))
                    alive.append((time.monotonic() + choose.uniform(0.0, 2.5), pid, folder))
                for moment, pid, folder in sorted(alive):
                    time.sleep(max(0.0, moment - time.monotonic()))
                    killed_at = time.time()
                    os.kill(pid, signal.SIGKILL)
                    killed.append((folder, killed_at))
        finally:
            zygote.kill()
    return killed


def test_every_killed_run_opens_as_crashed_and_says_so(killed_runs):
    for folder, _ in killed_runs:
        run = open_run(folder / "run")
        assert run.status == "crashed"
        assert any("not closed" in sentence for sentence in run.losses.sentences())
        assert run.losses.unreadable == ()


def test_at_most_the_last_second_is_missing(killed_runs):
    for folder, killed_at in killed_runs:
        run = open_run(folder / "run")
        stored = run["number"].values.astype(int).tolist() if "number" in run else []
        assert stored == list(range(len(stored))), "a prefix of what was logged, without holes"
        due = [step for step, logged_at in rows_logged(folder) if logged_at < killed_at - 1.0]
        assert len(stored) >= len(due)


def test_other_series_snapshots_and_events_of_killed_runs_are_whole(killed_runs):
    snapshots = 0
    for folder, _ in killed_runs:
        run = open_run(folder / "run")
        if "norm" in run:
            assert (run["norm"].values == run["norm"].steps[:, None]).all()
        for step in run.snapshots.steps:
            assert run.snapshots.load(step)["weight"][-1] == 4999.0
            snapshots += 1
        assert run.events == () or run.events[0].kind == "start"
    assert snapshots > 0


def test_a_killed_run_goes_on_where_it_ended(killed_runs):
    from optiscope.runs import Position, RunWriter

    folder = max(killed_runs, key=lambda each: len(rows_logged(each[0])))[0]
    before = open_run(folder / "run")
    with RunWriter.create(folder / "run", resume=True) as writer:
        assert writer.resumed_from is not None
        assert writer.resumed_from.step == before.steps
        writer.log(Position(before.steps + 1, before.seconds + 1), {"number": -1.0})
    after = open_run(folder / "run")
    assert after.status == "finished"
    assert after["number"].values[:-1].tolist() == before["number"].values.tolist()
    assert after["number"].values[-1] == -1.0
    assert [event.kind for event in after.events if event.kind == "resume"] == ["resume"]
