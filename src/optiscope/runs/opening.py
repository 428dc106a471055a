"""A run's folder made ready for a writer: new, taken up again, or in the place of an old run."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optiscope.errors import ArgumentError, RunDamaged, RunExists
from optiscope.runs.files import has_content, has_foreign_files, remove_own_files, segment_files
from optiscope.runs.lock import RunLock
from optiscope.runs.rows import Position
from optiscope.runs.run_file import read_run_file
from optiscope.runs.schema import FORMAT_VERSION, SERIES_FOLDER, SNAPSHOTS_FOLDER
from optiscope.runs.segment_reader import SegmentReader
from optiscope.runs.standing import progress_of, status_of


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
    earlier_status: str = ""
    """How the run that is taken up again had ended; empty for a new one."""


def open_folder(path: Path, *, described: Mapping[str, Any], resume: bool, overwrite: bool) -> OpenedFolder:
    """Make the folder `path` ready for a run that is `described` by these fields of run.json.

    Raises `RunExists`, `RunInUse`, `RunDamaged`, `NewerFormat` and `ArgumentError`.
    """
    if resume and overwrite:
        raise ArgumentError("resume=True goes on with a run and overwrite=True deletes it: choose one. Received: both.")
    try:
        if path.exists() and not path.is_dir():
            raise ArgumentError(
                f"A run is a folder, and {path} is a file. Choose another name. Received: {str(path)!r}."
            )
        if not has_content(path) and has_foreign_files(path):
            raise RunExists(f"{path} is not empty and holds no run, so it is left alone. Choose another name.")
        path.mkdir(parents=True, exist_ok=True)
        lock = RunLock(path)
        try:
            return _open_locked(path, lock, described=described, resume=resume, overwrite=overwrite)
        except BaseException:
            lock.release()
            raise
    except OSError as error:
        if isinstance(error, RunExists):
            raise
        raise ArgumentError(
            f"A run cannot be made at {path}: {error.strerror or error}. Choose a folder that may be written. "
            f"Received: {str(path)!r}."
        ) from error


def _open_locked(
    path: Path, lock: RunLock, *, described: Mapping[str, Any], resume: bool, overwrite: bool
) -> OpenedFolder:
    exists = has_content(path)
    if exists and not (resume or overwrite):
        raise RunExists(
            f"There is a run at {path} already. Choose another name, go on with it (resume=True), "
            "or delete it first (overwrite=True)."
        )
    if exists and resume:
        opened = _taken_up(path, lock, described)
    else:
        if exists:
            remove_own_files(path)
        opened = OpenedFolder(content=_new_content(path, described), lock=lock, resumed_from=None, first_row=0)
    for folder in (SERIES_FOLDER, SNAPSHOTS_FOLDER):
        (path / folder).mkdir(exist_ok=True)
    return opened


def _new_content(path: Path, described: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "format_version": FORMAT_VERSION,
        "id": uuid.uuid4().hex,
        "name": path.name,
        "status": "running",
        "started": now,
        "updated": now,
        "seconds": 0.0,
        "steps": 0,
        **described,
        "overhead": {},
        "last": {},
        "counters": {"rows": 0, "rows_dropped": 0, "faults": 0},
    }


def _taken_up(path: Path, lock: RunLock, described: Mapping[str, Any]) -> OpenedFolder:
    """Go on with the run at `path`: what the new start says is kept, what it leaves empty stays as it was."""
    content = _new_content(path, described)
    with contextlib.suppress(FileNotFoundError):
        content |= read_run_file(path)
    earlier_status = status_of(path, content)
    content |= {name: value for name, value in described.items() if value}
    content |= {"name": path.name, "status": "running"}
    _add_up_faults(content)
    last_row, (step, seconds) = -1, progress_of(content)
    for file in segment_files(path):
        try:
            furthest = SegmentReader(file).furthest()
        except RunDamaged:
            continue  # the reader of the run reports it
        if furthest is not None:
            last_row, step, seconds = max(last_row, furthest[0]), max(step, furthest[1]), max(seconds, furthest[2])
    return OpenedFolder(
        content=content,
        lock=lock,
        resumed_from=Position(step, seconds),
        first_row=last_row + 1,
        earlier_status=earlier_status,
    )


def _add_up_faults(content: dict[str, Any]) -> None:
    """Put the recorder's faults of earlier sessions to the counters: it counts its own from 0 again."""
    counters = content["counters"] if isinstance(content["counters"], dict) else {}
    both = (counters.get("faults"), content.pop("faults", 0))
    content["counters"] = {**counters, "faults": sum(each for each in both if isinstance(each, int))}
