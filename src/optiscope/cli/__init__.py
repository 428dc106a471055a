"""The command line: `optiscope demo | report | ls | show | doctor`, each a thin layer over the library."""

from __future__ import annotations


def main() -> None:
    """Run the command line. Everything is imported late, so that `--help` and errors in options come at once."""
    from optiscope.cli.app import app

    app(prog_name="optiscope")
