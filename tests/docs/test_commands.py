"""What the pages say about commands is what the commands say about themselves."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.markdown_blocks import blocks
from tests.docs.pages import PAGES, ROOT, named
from tools import cli_reference

SHELL = {"bash", "console", "sh", "shell"}


def shell_lines(program: str) -> Iterator[tuple[str, list[str]]]:
    """Each shell line of a page that runs `program`: where it stands, and its words."""
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language not in SHELL:
                continue
            for offset, line in enumerate(block.text.split("\n")):
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words and words[0].rpartition("/")[2] == program:
                    yield f"{named(page)}:{block.line + offset}", words


def contexts() -> dict[str, Any]:
    """The commands by their full names."""
    return {context.command_path: context for context in cli_reference.contexts()}


def test_the_command_line_page_is_what_help_says():
    message = "docs/cli.md is stale. Mend it with: make docs"
    assert cli_reference.PAGE.read_text(encoding="utf-8") == cli_reference.cli_reference(), message


def test_every_command_says_what_it_does():
    silent = [path for path, context in contexts().items() if not (context.command.help or "").strip()]
    assert silent == []


def test_every_argument_and_option_says_what_it_is_for():
    silent = [
        f"{path} {written}"
        for path, context in contexts().items()
        for written, purpose in cli_reference.parameters(context)
        if not purpose.removesuffix("[required]").strip()
    ]
    assert silent == []


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [path for path in contexts() if not re.search(rf"\b{path}\b", readme)]
    assert missing == []


@pytest.mark.parametrize(("place", "words"), [pytest.param(*line, id=line[0]) for line in shell_lines("optiscope")])
def test_a_command_in_a_page_exists_with_its_options(place: str, words: list[str]):
    known = contexts()
    # Sub-commands come first; what follows them are arguments and options.
    path = "optiscope"
    for word in words[1:]:
        if f"{path} {word}" not in known:
            break
        path += f" {word}"
    context = known[path]
    plain = path == "optiscope" and any(not word.startswith("-") for word in words[1:])
    assert not plain, f"{place}: {' '.join(words)}: no such command"
    valid = {option for parameter in context.command.get_params(context) for option in parameter.opts}
    valid |= {option for parameter in context.command.get_params(context) for option in parameter.secondary_opts}
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert used <= valid, f"{place}: {' '.join(words)}"


@pytest.mark.parametrize(("place", "words"), [pytest.param(*line, id=line[0]) for line in shell_lines("make")])
def test_a_make_target_in_a_page_exists(place: str, words: list[str]):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for word in words[1:] if "=" not in word}
    known = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    assert targets <= known, f"{place}: {' '.join(words)}"
