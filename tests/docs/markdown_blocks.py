"""Code blocks of a Markdown page, as the tests of the documentation need them.

A comment on the line before a block says how it is treated: `<!-- not run: reason -->` leaves it out;
`<!-- own process: reason -->` begins a new interpreter, for it and those after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
REMARK = re.compile(r"^ *<!-- (?P<kind>not run|own process): (?P<reason>.+) -->$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced code block."""

    language: str
    """What stands after the opening fence, such as "python"; "" when there is nothing."""
    text: str
    """The code, without the fences."""
    line: int
    """Line number in the page of the block's first line of code, from 1."""
    not_run: str = ""
    """Why the block is not run; "" for one that is."""
    own_process: str = ""
    """Why the block begins a new process; "" for one that goes on in that of the block before."""


def blocks(text: str) -> tuple[Block, ...]:
    """The code blocks of a page, in order."""
    found: list[Block] = []
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        opening = FENCE.match(lines[place])
        if opening is None:
            place += 1
            continue
        indent = opening["indent"]
        end = next(
            at for at in range(place + 1, len(lines) + 1) if at == len(lines) or lines[at].startswith(f"{indent}```")
        )
        remark = REMARK.match(lines[place - 1]) if place else None
        treatment = {remark["kind"].replace(" ", "_"): remark["reason"]} if remark else {}
        code = "\n".join(line.removeprefix(indent) for line in lines[place + 1 : end])
        found.append(Block(language=opening["language"], text=code, line=place + 2, **treatment))
        place = end + 1
    return tuple(found)


def scripts(page: Path) -> tuple[str, ...]:
    """The Python of a page as programs, one for each process; a line of code has its line number in the page."""
    programs: list[list[Block]] = [[]]
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language != "python" or block.not_run:
            continue
        if block.own_process:
            programs.append([])
        programs[-1].append(block)
    return tuple(spaced(program) for program in programs if program)


def spaced(program: Iterable[Block]) -> str:
    """The blocks below each other, with empty lines in the place of the prose between them."""
    lines: list[str] = []
    for block in program:
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.text.split("\n")
    return "\n".join(lines) + "\n"
