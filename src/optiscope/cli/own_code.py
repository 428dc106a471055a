"""Python files that users name on the command line: what is in them is run."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

from optiscope.errors import ArgumentError, UnknownName

if TYPE_CHECKING:
    from optiscope.problems.functions.function import Function


def run_file(path: Path) -> dict[str, object]:
    """Run a Python file and give what it defines. Raises `ArgumentError` if it cannot be read or fails."""
    try:
        return runpy.run_path(str(path))
    except OSError as error:
        raise ArgumentError(f"The file cannot be read: {error.strerror}. Received: {str(path)!r}.") from error
    except Exception as error:
        raise ArgumentError(f"The file failed: {type(error).__name__}: {error}. Received: {str(path)!r}.") from error


def problem_of(text: str) -> Function:
    """The problem of a name, or of FILE.py:NAME, where the file defines a `Function` or a callable of a point."""
    from optiscope.experiments.own_function import own_function
    from optiscope.experiments.race.arguments import as_function
    from optiscope.problems.functions.function import Function

    file, separator, name = text.rpartition(":")
    if not separator or not file.endswith(".py"):
        return as_function(text)
    defined = run_file(Path(file))
    if name not in defined:
        names = [one for one, value in defined.items() if callable(value) and not one.startswith("_")]
        raise UnknownName.among(name, names, kind=f"function in {file}")
    value = defined[name]
    return value if isinstance(value, Function) else own_function(value, name=name)  # type: ignore[arg-type]
