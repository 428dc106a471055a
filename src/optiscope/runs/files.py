"""Which files of a folder belong to a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from optiscope.runs.schema import (
    ANNOTATIONS_FILE,
    EVENTS_FILE,
    HEARTBEAT_FILE,
    LOCK_FILE,
    RUN_FILE,
    SEGMENT_SUFFIX,
    SERIES_FOLDER,
    SNAPSHOT_SUFFIX,
    SNAPSHOTS_FOLDER,
    TEMPORARY_SUFFIX,
)

_FOLDERS = (SERIES_FOLDER, SNAPSHOTS_FOLDER, "sketches", "tensors")
_DATA_SUFFIXES = (SEGMENT_SUFFIX, SNAPSHOT_SUFFIX)
_FILES = (EVENTS_FILE, ANNOTATIONS_FILE, HEARTBEAT_FILE, RUN_FILE)


def has_content(path: Path) -> bool:
    """Whether something was recorded in the folder `path`, even if its run.json is lost."""
    if (path / RUN_FILE).is_file() or (path / EVENTS_FILE).is_file():
        return True
    return any(file.suffix in _DATA_SUFFIXES for folder in _FOLDERS for file in _entries(path / folder))


def has_foreign_files(path: Path) -> bool:
    """Whether the folder `path` holds anything that no run puts there."""
    own = set(own_files(path)) | {path / LOCK_FILE}
    for entry in _entries(path):
        if entry in own:
            continue
        if entry.name not in _FOLDERS or not entry.is_dir() or any(file not in own for file in _entries(entry)):
            return True
    return False


def own_files(path: Path) -> Iterator[Path]:
    """The files of the run at `path`, the lock apart. run.json comes last: what it describes goes first."""
    for folder in _FOLDERS:
        for file in _entries(path / folder):
            if file.suffix in _DATA_SUFFIXES or _is_temporary(file, _DATA_SUFFIXES):
                yield file
    for file in _entries(path):
        if _is_temporary(file, _FILES):
            yield file
    for name in _FILES:
        if (path / name).exists():
            yield path / name


def remove_own_files(path: Path) -> None:
    """Delete the files of the run at `path`, then the folders that are empty. Raises `OSError`."""
    for file in own_files(path):
        file.unlink(missing_ok=True)
    for folder in _FOLDERS:
        with contextlib.suppress(OSError):
            (path / folder).rmdir()


def segment_files(path: Path) -> list[Path]:
    """The segments of the run at `path`, sorted by name. A missing folder has none."""
    return sorted(file for file in _entries(path / SERIES_FOLDER) if file.suffix == SEGMENT_SUFFIX)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_temporary(file: Path, endings: tuple[str, ...]) -> bool:
    """Whether `file` is what a killed writer left of the replacement of one of its files: NAME.<pid>.tmp."""
    if file.suffix != TEMPORARY_SUFFIX:
        return False
    name, _, pid = file.stem.rpartition(".")
    return pid.isdigit() and name.endswith(endings)
