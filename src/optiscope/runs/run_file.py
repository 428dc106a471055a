"""run.json: read with every fault named, and replaced as a whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optiscope.errors import NewerFormat, RunDamaged
from optiscope.runs.json_form import number_from_json
from optiscope.runs.schema import FORMAT_VERSION, RUN_FILE, TEMPORARY_SUFFIX


def read_run_file(run_path: Path) -> dict[str, Any]:
    """The contents of run.json of the run at `run_path`.

    Raises `FileNotFoundError` when it is not there, `NewerFormat`, and `RunDamaged` when it holds something else.
    """
    path = run_path / RUN_FILE
    try:
        content = json.loads(path.read_bytes())
    except NotADirectoryError as error:
        raise FileNotFoundError(*error.args) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunDamaged(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise RunDamaged(
            f"{path} is not JSON ({type(error).__name__}: {error}). If series/ beside it is whole, delete or rename "
            f"{RUN_FILE}; the series can then be read without it."
        ) from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise RunDamaged(f"{path} has no format_version: it was not written by Optiscope, or is damaged.")
    if version > FORMAT_VERSION:
        raise NewerFormat(
            f"{run_path} was written in run format {version}; this Optiscope reads up to format {FORMAT_VERSION}. "
            "Update it: pip install --upgrade optiscope"
        )
    return dict(content)


def last_values_of(content: Mapping[str, Any]) -> dict[str, float]:
    """The last value of each user metric, from the contents of run.json; what is no number is left out."""
    values: dict[str, float] = {}
    stored = content.get("last")
    for name, value in stored.items() if isinstance(stored, dict) else ():
        with contextlib.suppress(ValueError):
            values[name] = number_from_json(value)
    return values


def write_run_file(run_path: Path, content: Mapping[str, Any], *, durable: bool) -> int:
    """Put `content` in the place of run.json at once and return its bytes; `durable` waits for the disk.

    Raises `OSError`; the old file is then as it was.
    """
    encoded = json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"
    replace_file(run_path / RUN_FILE, encoded, durable=durable)
    return len(encoded)


def replace_file(path: Path, content: bytes, *, durable: bool) -> None:
    """Write `content` beside `path`, then rename it into place: whoever reads sees the old file or the new one."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        synchronise_folder(path.parent)


def synchronise_folder(folder: Path) -> None:
    """Make renames in `folder` durable, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems refuse; the rename itself has happened
    finally:
        os.close(descriptor)
