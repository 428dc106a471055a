"""The Python of every page runs, in order, in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown_blocks import blocks, scripts
from tests.docs.pages import PAGES, named
from tests.optional_parts import PACKAGES, require

NOT_RUN_AT_MOST = 3
"""Blocks that are shown but not run, over all pages: each is a promise that nobody checks."""


def programs() -> list[object]:
    """Each page's programs, named after page and place."""
    return [
        pytest.param(page, script, id=f"{named(page)}-{number}")
        for page in PAGES
        for number, script in enumerate(scripts(page), start=1)
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("page", "script"), programs())
def test_the_python_of_a_page_runs(page: Path, script: str, tmp_path: Path):
    require("torch", *(part for part in PACKAGES if f"import {part}" in script))
    program = tmp_path / page.with_suffix(".py").name
    program.write_text(script, encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run([sys.executable, str(program)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{named(page)}, lines as in the page:\n{done.stderr}"


def test_few_blocks_are_left_out():
    left_out = [
        f"{named(page)}:{block.line}: {block.not_run}"
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "python" and block.not_run
    ]
    assert len(left_out) <= NOT_RUN_AT_MOST, "\n".join(left_out)
