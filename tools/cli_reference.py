"""Write docs/cli.md: what `--help` says of every command, as one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
PROGRAM = "optiscope"
NOTE = "<!-- Written by `make docs` from the commands themselves. Change their help texts, not this page. -->"


def contexts() -> Iterator[Any]:
    """The command line and each of its commands, depth first, as contexts that know their full name."""
    from optiscope.cli.app import app

    root = typer.main.get_command(app)
    yield from below(root.make_context(PROGRAM, [], resilient_parsing=True))


def below(context: Any) -> Iterator[Any]:
    """`context` and those of the commands below it."""
    yield context
    for name, command in getattr(context.command, "commands", {}).items():
        if not command.hidden:
            yield from below(type(context)(command, info_name=name, parent=context))


def parameters(context: Any) -> Iterator[tuple[str, str]]:
    """The arguments and options of a command that `--help` shows: how each is written, and what it is for."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield record[0], record[1] or ""


def section(context: Any) -> str:
    """The part of the page about one command."""
    usage = " ".join(context.command.get_usage(context).split()).removeprefix("Usage: ")
    lines = [f"## `{context.command_path}`", "", (context.command.help or "").replace("\b", "").strip(), ""]
    lines += ["```", usage, "```", ""]
    lines += [f"- `{written}` – {' '.join(purpose.split())}" for written, purpose in parameters(context)]
    return "\n".join(lines).rstrip()


def cli_reference() -> str:
    """The whole page."""
    title = "# Command line\n\n" + NOTE
    return "\n\n".join([title, *(section(context) for context in contexts())]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(cli_reference(), encoding="utf-8")
