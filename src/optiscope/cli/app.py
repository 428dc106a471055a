"""The Typer application: the commands, `--version`, and what becomes of errors and Ctrl-C."""

from __future__ import annotations

import errno
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from optiscope.cli.demo import demo
from optiscope.cli.doctor import doctor
from optiscope.cli.lists import optimizers, problems, schedules
from optiscope.cli.ls import ls
from optiscope.cli.race import race
from optiscope.cli.report import report
from optiscope.cli.show import show

EXIT_ERROR = 2
"""What was asked cannot be done: a wrong name, no run at that path, a file that cannot be written."""
EXIT_INTERRUPTED = 130
"""Ctrl-C, by the convention of shells: 128 + the number of SIGINT."""


class Commands(TyperGroup):
    """The group of commands, which turns known errors into one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command. A traceback is shown only for what is a fault of Optiscope."""
        from optiscope.errors import OptiscopeError

        try:
            return super().invoke(ctx)
        except OptiscopeError as error:
            _complain(str(error))
            raise typer.Exit(EXIT_ERROR) from error
        except OSError as error:
            # A reader that closed the pipe (`optiscope ls | head`) is no error of ours; click ends quietly.
            if error.errno == errno.EPIPE:
                raise
            _complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt as error:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from error


def _complain(message: str) -> None:
    """Print one error on stderr, in red where there is a terminal."""
    typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(message, err=True)


app = typer.Typer(
    name="optiscope",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from optiscope import __version__

        typer.echo(f"optiscope {__version__}")
        raise typer.Exit


@app.callback()
def optiscope(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """See what an optimizer does, from a real training loop to pictures, through a run on disk."""


app.command()(demo)
app.command()(race)
app.command()(report)
app.command()(ls)
app.command()(show)
app.command()(optimizers)
app.command()(problems)
app.command()(schedules)
app.command()(doctor)
