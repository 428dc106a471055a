from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import optiscope
from optiscope.errors import OptiscopeError

from .conftest import Call


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_without_a_command_the_help_is_shown(call: Call, arguments: tuple[str, ...]) -> None:
    called = call(*arguments)
    for command in ("demo", "report", "ls", "show", "doctor"):
        assert command in called.out + called.err


@pytest.mark.parametrize("command", ["demo", "report", "ls", "show", "doctor"])
def test_every_command_has_help(call: Call, command: str) -> None:
    called = call(command, "--help")
    assert called.code == 0
    assert "Usage: optiscope" in called.out


def test_the_version_is_printed(call: Call) -> None:
    called = call("--version")
    assert (called.code, called.out) == (0, f"optiscope {optiscope.__version__}\n")


def test_a_wrong_command_names_the_nearest(call: Call) -> None:
    called = call("shw")
    assert called.code == 2
    assert "show" in called.err


@pytest.mark.parametrize(
    "arguments", [("show", "nowhere"), ("ls", "nowhere"), ("report", "nowhere"), ("doctor", "nowhere")]
)
def test_an_error_is_one_message_on_stderr_and_exit_code_2(
    call_process: Call, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    called = call_process(*arguments, cwd=tmp_path)
    assert called.code == 2
    assert called.out == ""
    assert called.err.startswith("Error: ")
    assert "nowhere" in called.err
    assert "Traceback" not in called.err
    assert called.err.count("\n") == 1


def test_a_fault_of_our_own_keeps_its_traceback(call: Call, monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    def fail(_: object) -> None:
        raise AssertionError("a fault")

    monkeypatch.setattr("optiscope.runs.runs", fail)
    with pytest.raises(AssertionError, match="a fault"):
        call("ls", runs)


def test_known_errors_do_not_escape(call: Call, monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    def fail(_: object) -> None:
        raise OptiscopeError("This went wrong. Mend it so.")

    monkeypatch.setattr("optiscope.runs.runs", fail)
    called = call("ls", runs)
    assert (called.code, called.out, called.err) == (2, "", "Error: This went wrong. Mend it so.\n")


def test_ctrl_c_ends_with_130_and_without_a_traceback(call: Call, monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("optiscope.runs.runs", interrupt)
    called = call("ls", runs)
    assert (called.code, called.out, called.err) == (130, "", "Interrupted.\n")


def test_help_is_fast_and_loads_no_framework_and_no_plotting() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['optiscope', '--help']\n"
        "from optiscope.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'torch', 'keras', 'tensorflow', 'paddle', 'plotly', 'matplotlib', 'pyarrow', 'numpy', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
    # Half a second is the aim on an idle machine; tests run in parallel with others.
    assert best < 1.5


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close in another way there")
def test_a_reader_that_closes_the_pipe_is_no_error(runs: Path) -> None:
    command = f"'{sys.executable}' -m optiscope ls '{runs}' --json | head -1"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_the_exit_code_of_an_interrupt_is_that_of_shells() -> None:
    from optiscope.cli.app import EXIT_INTERRUPTED

    assert EXIT_INTERRUPTED == 128 + signal.SIGINT
