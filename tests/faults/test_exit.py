"""The ways in which a training process ends, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optiscope.runs import open_run

pytestmark = pytest.mark.slow

PREAMBLE = """
import os, signal, sys, threading, time
from optiscope.runs import Position, RunWriter
writer = RunWriter.create(sys.argv[1])
def log(first, last):
    for step in range(first, last):
        writer.log(Position(step, step * 0.1), {"loss": float(step)})
log(0, 100)
"""


def run_script(script: str, path: Path, *, kill: signal.Signals | None = None) -> subprocess.CompletedProcess[str]:
    """Run `script` after the preamble; with `kill`, send that signal once it has printed a line."""
    with subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        first = ""
        if kill is not None:
            assert process.stdout is not None
            first = process.stdout.readline()
            process.send_signal(kill)
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, first + out, err)


def test_a_script_that_just_ends_leaves_a_finished_run(tmp_path):
    ended = run_script("", tmp_path / "run")
    assert (ended.returncode, ended.stderr) == (0, "")
    run = open_run(tmp_path / "run")
    assert run.status == "finished"
    assert len(run["loss"]) == 100
    assert not run.losses


def test_an_uncaught_exception_leaves_a_failed_run_that_names_it(tmp_path):
    ended = run_script("raise FloatingPointError('the loss is NaN')", tmp_path / "run")
    assert ended.returncode == 1
    run = open_run(tmp_path / "run")
    assert run.status == "failed"
    assert len(run["loss"]) == 100
    assert [event.message for event in run.events if event.kind == "exception"] == [
        "FloatingPointError: the loss is NaN"
    ]


def test_sys_exit_leaves_a_finished_run(tmp_path):
    ended = run_script("sys.exit(3)", tmp_path / "run")
    assert ended.returncode == 3
    assert open_run(tmp_path / "run").status == "finished"


def test_ctrl_c_leaves_a_terminated_run(tmp_path):
    ended = run_script("print('ready', flush=True); time.sleep(30)", tmp_path / "run", kill=signal.SIGINT)
    assert ended.returncode == -signal.SIGINT
    run = open_run(tmp_path / "run")
    assert run.status == "terminated"
    assert len(run["loss"]) == 100


@pytest.mark.parametrize("busy", ["time.sleep(30)", "log(100, 10**9)", "writer.flush(); time.sleep(30)"])
def test_sigterm_writes_everything_and_then_ends_the_process_as_it_always_did(tmp_path, busy):
    ended = run_script(f"print('ready', flush=True); {busy}", tmp_path / "run", kill=signal.SIGTERM)
    assert ended.returncode == -signal.SIGTERM
    run = open_run(tmp_path / "run")
    assert run.status == "terminated"
    assert len(run["loss"]) >= 100
    assert run["loss"].values.tolist() == list(range(len(run["loss"])))
    assert "signal" in [event.kind for event in run.events]


def test_sigterm_calls_the_handler_that_was_there_before(tmp_path):
    script = """
writer.close()
signal.signal(signal.SIGTERM, lambda number, frame: (print("mine", flush=True), sys.exit(5)))
writer = RunWriter.create(sys.argv[1] + "2")
log(0, 50)
print("ready", flush=True)
time.sleep(30)
"""
    ended = run_script(script, tmp_path / "run", kill=signal.SIGTERM)
    assert ended.stdout == "ready\nmine\n"
    assert ended.returncode == 5
    run = open_run(tmp_path / "run2")
    assert run.status == "terminated"
    assert len(run["loss"]) == 50


def test_a_handler_that_goes_on_training_goes_on_recording(tmp_path):
    script = """
writer.close()
stop = []
signal.signal(signal.SIGTERM, lambda number, frame: stop.append(True))
writer = RunWriter.create(sys.argv[1] + "2")
log(0, 50)
print("ready", flush=True)
while not stop:
    time.sleep(0.01)
log(50, 100)
writer.close("finished")
"""
    ended = run_script(script, tmp_path / "run", kill=signal.SIGTERM)
    assert ended.returncode == 0, ended.stderr
    run = open_run(tmp_path / "run2")
    assert run.status == "finished"
    assert len(run["loss"]) == 100


def test_the_handler_goes_when_the_last_run_closes(tmp_path):
    script = """
other = RunWriter.create(sys.argv[1] + "2")
writer.close()
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
other.close()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
mine = lambda number, frame: None
again = RunWriter.create(sys.argv[1] + "3")
signal.signal(signal.SIGTERM, mine)
again.close()
assert signal.getsignal(signal.SIGTERM) is mine
"""
    ended = run_script(script, tmp_path / "run")
    assert ended.returncode == 0, ended.stderr


def test_a_run_made_outside_the_main_thread_is_closed_at_exit_too(tmp_path):
    script = """
writer.close()
def work():
    global writer
    writer = RunWriter.create(sys.argv[1] + "2")
    log(0, 50)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    ended = run_script(script, tmp_path / "run")
    assert ended.returncode == 0, ended.stderr
    run = open_run(tmp_path / "run2")
    assert run.status == "finished"
    assert len(run["loss"]) == 50


def test_several_open_runs_all_survive_sigterm(tmp_path):
    script = """
others = [RunWriter.create(f"{sys.argv[1]}{index}") for index in range(3)]
for other in others:
    other.log(Position(1, 0.1), {"loss": 1.0})
print("ready", flush=True)
time.sleep(30)
"""
    ended = run_script(script, tmp_path / "run", kill=signal.SIGTERM)
    assert ended.returncode == -signal.SIGTERM
    for index in range(3):
        run = open_run(tmp_path / f"run{index}")
        assert (run.status, len(run["loss"])) == ("terminated", 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_that_ends_does_not_close_the_parents_run(tmp_path):
    script = """
child = os.fork()
if child == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
assert os.waitpid(child, 0)[1] == signal.SIGTERM
log(100, 200)
writer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = run_script(script, tmp_path / "run")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    run = open_run(tmp_path / "run")
    assert run.status == "crashed"
    assert len(run["loss"]) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_whose_writer_was_killed_can_be_resumed_though_a_child_of_it_lives_on(tmp_path):
    script = """
child = os.fork()
if child == 0:
    os.close(1), os.close(2)
    time.sleep(30)
print(child, flush=True)
writer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    from optiscope.runs import RunWriter

    ended = run_script(script, tmp_path / "run")
    try:
        with RunWriter.create(tmp_path / "run", resume=True) as writer:
            assert writer.resumed_from is not None
            assert writer.resumed_from.step == 99
    finally:
        os.kill(int(ended.stdout), signal.SIGKILL)
