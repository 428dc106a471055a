"""The examples in docstrings say the truth."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.optional_parts import require

SOURCE = ROOT / "src"
APART = ("optiscope.frameworks.keras", "optiscope.frameworks.paddle")
"""Modules that have a process of their own, because their frameworks cannot share one."""


def modules() -> list[str]:
    """The modules that have examples."""
    files = sorted((SOURCE / "optiscope").rglob("*.py"))
    names = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
        if ">>> " in path.read_text(encoding="utf-8")
    }
    return [name for name in names if not name.startswith(APART)]


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_the_docstrings_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if "torch" in name:
        require("torch")
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_modules_that_run_apart_have_no_examples():
    apart = [SOURCE / Path(*name.split(".")) for name in APART]
    files = [path for base in apart for path in (base.with_suffix(".py"), *base.glob("**/*.py")) if path.exists()]
    assert [path.name for path in files if ">>> " in path.read_text(encoding="utf-8")] == []
