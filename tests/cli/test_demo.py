from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from optiscope.experiments import demo, demo_arms
from tests.optional_parts import require

from .conftest import Call

pytestmark = pytest.mark.slow

require("torch", "sklearn")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the quick demo one of seconds: two optimizers, one epoch."""
    small = replace(demo.QUICK, epochs=1, evaluate_every=21, seeds=(0,), arms=demo_arms.ARMS[:2])
    monkeypatch.setattr(demo, "QUICK", small)


@pytest.mark.usefixtures("tiny")
def test_the_demo_writes_runs_a_report_and_pictures_and_says_what_to_do_next(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "new" / "demo"
    called = call("demo", "--quick", "--out", out)
    assert called.code == 0
    for word in (
        "sgd-seed0",
        "final loss",
        "test accuracy",
        "steps to 90 %",
        "overhead",
        "report.html",
        "optiscope ls",
    ):
        assert word in called.out, word
    assert (out / "report.html").stat().st_size > 1e6
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert len(pictures) >= 6
    assert all((out / picture).stat().st_size > 5_000 for picture in pictures)
    assert [run["name"] for run in call("ls", out / "runs", "--json").json] == ["momentum-seed0", "sgd-seed0"]


@pytest.mark.usefixtures("tiny")
def test_json_is_all_of_stdout_and_a_second_demo_says_what_it_replaced(call: Call, tmp_path: Path) -> None:
    first = call("demo", "--quick", "--out", tmp_path, "--json").json
    assert [run["name"] for run in first["runs"]] == ["sgd-seed0", "momentum-seed0"]
    assert first["optimizers"][0]["optimizer"] == "SGD"
    assert first["interrupted"] is False
    assert first["files"][0].endswith("report.html")
    again = call("demo", "--quick", "--out", tmp_path)
    assert "Took the place of an earlier demo's 2 runs" in again.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_ctrl_c_keeps_the_finished_runs_with_their_report_and_exits_with_130(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "optiscope", "demo", "--quick", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A shell that runs the tests in the background has them ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs" / "momentum-seed0").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted: 2 of 10 runs are finished and kept." in out
    assert "sgd-seed1" in out
    assert (tmp_path / "report.html").exists()
    assert "Traceback" not in err
