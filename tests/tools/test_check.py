from __future__ import annotations

import sys

import pytest

from tools import check


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Reports go to a folder of the test, and nothing measures coverage."""
    monkeypatch.setattr(check, "RESULTS", tmp_path)


def pytest_on(tmp_path, source: str) -> list[str]:
    """The command that runs one file of tests."""
    path = tmp_path / "test_sample.py"
    path.write_text(source, encoding="utf-8")
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(path)]


def test_the_tests_of_a_process_are_counted(tmp_path, capfd):
    source = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skipif(True, reason="a sample")
def test_left_out(): pass
"""
    outcome = check.outcome("sample", pytest_on(tmp_path, source))
    assert (outcome.passed, outcome.failed, outcome.skipped, outcome.status) == (1, 1, 1, 1)
    assert "1 failed, 1 passed, 1 skipped" in capfd.readouterr().out


def test_a_process_that_dies_counts_as_a_failure(tmp_path, capfd):
    outcome = check.outcome("sample", pytest_on(tmp_path, "import os\ndef test_dies(): os.abort()\n"))
    assert outcome.failed == 1
    assert outcome.status != 0
    assert "no report" in capfd.readouterr().out


def test_frameworks_that_cannot_share_a_process_have_one_each():
    commands = check.commands(fast=False)
    assert list(commands) == ["main", "keras", "paddle"]
    assert all(f"--ignore={folder}" in commands["main"] for folder in check.APART.values())


def test_the_quick_loop_leaves_out_what_is_slow():
    commands = check.commands(fast=True)
    assert list(commands) == ["main"]
    assert "not slow and not browser" in commands["main"]
