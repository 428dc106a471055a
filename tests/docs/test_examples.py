"""Every example runs to its end, in an empty folder, with its small settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.optional_parts import PACKAGES, require

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, tmp_path: Path):
    source = example.read_text(encoding="utf-8")
    require(*(part for part in PACKAGES if f"import {part}" in source or f"from {part}" in source))
    small = ["--quick"] if "--quick" in source else []
    done = subprocess.run(
        [sys.executable, str(example), *small], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_says_what_it_shows(example: Path):
    assert example.read_text(encoding="utf-8").startswith('"""')
