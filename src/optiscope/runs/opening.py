"""A run's folder made ready for a writer: new, taken up again, or in the place of an old run."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optiscope.errors import ArgumentError, RunDamaged, RunExists
from optiscope.runs.files import is_run, own_files, remove_run_files
from optiscope.runs.json_form import number_from_json, to_json
from optiscope.runs.lock import RunLock
from optiscope.runs.rows import Position
from optiscope.runs.run_file import read_run_file
from optiscope.runs.schema import FORMAT_VERSION, SERIES_FOLDER, SNAPSHOTS_FOLDER, TEMPORARY_SUFFIX
from optiscope.runs.series_table import SeriesTable


@dataclass(frozen=True, kw_only=True)
class OpenedFolder:
    """A folder that is ready, and locked."""

    content: dict[str, Any]
    """What run.json is to say."""
    lock: RunLock
    """Held until the writer closes."""
    resumed_from: Position | None
    """Last position of the run that is taken up again; None for a new one."""
    first_row: int
    """Number of the first row to come."""


def open_folder(path: Path, *, described: Mapping[str, Any], resume: bool, overwrite: bool) -> OpenedFolder:
    """Make the folder `path` ready. Raises `RunExists`, `RunInUse`, `NewerFormat` and `ArgumentError`."""
    if resume and overwrite:
        raise ArgumentError("resume=True goes on with a run and overwrite=True deletes it: choose one. Received: both.")
    _check_folder(path, resume=resume, overwrite=overwrite)
    try:
        for folder in (path / SERIES_FOLDER, path / SNAPSHOTS_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"A run cannot be made at {path}: {error.strerror or error}. Choose a folder that may be written."
        ) from error
    lock = RunLock(path)
    try:
        # Again, now that nobody else can make a run here.
        _check_folder(path, resume=resume, overwrite=overwrite)
        if resume and _has_content(path):
            return _taken_up(path, lock, described)
        remove_run_files(path, keep_lock=True)
        for folder in (path / SERIES_FOLDER, path / SNAPSHOTS_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)
        return OpenedFolder(content=_new_content(path, described), lock=lock, resumed_from=None, first_row=0)
    except BaseException:
        lock.release()
        raise


def _check_folder(path: Path, *, resume: bool, overwrite: bool) -> None:
    if path.exists() and not path.is_dir():
        raise ArgumentError(f"A run is a folder, and {path} is a file. Choose another name. Received: {str(path)!r}.")
    if not path.exists() or resume or overwrite:
        if path.exists() and not is_run(path) and any(path.iterdir()) and not _is_ours_and_empty(path):
            raise RunExists(
                f"{path} is not empty and holds no run, so it is left alone. Choose another name, such as "
                f"{path / 'run'}."
            )
        return
    if _has_content(path):
        raise RunExists(
            f"There is a run at {path} already. Choose another name, go on with it (resume=True), "
            "or delete it first (overwrite=True)."
        )
    if any(path.iterdir()) and not _is_ours_and_empty(path):
        raise RunExists(f"{path} is not empty and holds no run, so it is left alone. Choose another name.")
