"""Changes to the runs of a folder: new names, tags, notes, pins, and a trash that gives back what was deleted.

Unlike `Catalogue.delete` a deletion can be undone, until the trash is emptied. Messages name runs and never a path,
since a page shows them.
"""

from __future__ import annotations

import contextlib
import difflib
import itertools
import os
import re
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from optiscope.dashboard.runs_table import PIN_TAG
from optiscope.errors import ArgumentError, RunError, RunExists, RunInUse, UnknownName
from optiscope.runs.annotations import read_annotations, write_annotations
from optiscope.runs.files import has_content, remove_own_files
from optiscope.runs.lock import RunLock
from optiscope.runs.run_file import read_run_file, write_run_file
from optiscope.runs.schema import LOCK_FILE
from optiscope.runs.standing import status_of

TRASH_FOLDER = ".trash"
"""Folder in the folder of runs that holds what was deleted, until it is emptied."""
LONGEST_NAME = 200
"""Bytes that the name of a run may have."""
LONGEST_TAG = 200
"""Characters that a tag may have."""
LONGEST_NOTE = 100_000
"""Characters that a note may have."""
MOST_TAGS = 200
"""Tags that a run may have."""
MOST_LISTED = 30
"""Runs up to which the message about a name that is none lists them all."""

_KEY = re.compile(r"[0-9a-f]{1,20}-[0-9]{1,9}")


@dataclass(frozen=True, kw_only=True)
class DeletedRun:
    """A run in the trash."""

    key: str
    """What `RunEditor.undo` asks for."""
    name: str
    """Name of the run."""


class RunEditor:
    """Edits the runs right in one folder. Links are never followed. One editor may be used from several threads."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Edit the runs in `folder`."""
        self.folder = Path(folder)
        """The folder of the runs."""
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    # --------------------------------------------------------------------------------------------------- annotations

    def tag(self, name: str, *tags: str) -> tuple[str, ...]:
        """Add `tags` to the run `name`, also while it is written; return all of them.

        Raises `UnknownName`, `ArgumentError` for what is no tag, and `RunError`.
        """
        for each in tags:
            _require_tag(each)
        return self._annotate(name, add=tags)

    def untag(self, name: str, *tags: str) -> tuple[str, ...]:
        """Take `tags` from the run `name`, also while it is written; return those left. Raises as `tag` does."""
        return self._annotate(name, remove=tags)

    def pin(self, name: str, pinned: bool = True) -> None:
        """Keep the run `name` at the top of the list, or no longer: by the tag "pinned". Raises as `tag` does."""
        self._annotate(name, add=(PIN_TAG,) if pinned else (), remove=() if pinned else (PIN_TAG,))

    def note(self, name: str, text: str) -> None:
        """Replace the note of the run `name`, also while it is written. Raises as `tag` does."""
        if len(text) > LONGEST_NOTE:
            raise ArgumentError(f"A note has at most {LONGEST_NOTE:,} characters. Received: {len(text):,}.")
        self._annotate(name, note=text)

    def _annotate(
        self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = (), note: str | None = None
    ) -> tuple[str, ...]:
        with self._lock, _named_failures(name, "annotated"):
            path = self._path(name)
            tags, old_note = read_annotations(path, _content(path))
            kept = tuple(dict.fromkeys(tag for tag in (*tags, *add) if tag not in remove))
            if len(kept) > MOST_TAGS:
                raise ArgumentError(f"A run has at most {MOST_TAGS} tags. Received: {len(kept)}. Remove some first.")
            write_annotations(path, tags=kept, note=old_note if note is None else note)
            return kept

    # ---------------------------------------------------------------------------------------------------------- name

    def rename(self, name: str, new_name: str) -> None:
        """Give the run `name` a new name, and its folder with it.

        Raises `UnknownName`, `ArgumentError` for what is no name, `RunExists` when it is taken, `RunInUse` while the
        run is written, and `RunError`.
        """
        _require_name(new_name)
        with self._lock, _named_failures(name, "renamed"):
            path = self._path(name)
            _require_idle(path)
            target = self.folder / new_name
            _move(path, target)
            with contextlib.suppress(FileNotFoundError, RunError):  # then the folder alone tells the name
                write_run_file(target, {**read_run_file(target), "name": new_name}, durable=True)

    # --------------------------------------------------------------------------------------------------------- trash

    def delete(self, name: str) -> DeletedRun:
        """Move the run `name`, with all that is in its folder, into the trash.

        Raises `UnknownName`, `RunInUse` while the run is written, and `RunError`.
        """
        with self._lock, _named_failures(name, "deleted"):
            path = self._path(name)
            _require_idle(path)
            key = f"{time.time_ns():x}-{next(self._numbers)}"
            place = self._trash() / key
            place.mkdir()
            try:
                _move(path, place / name)
            except OSError:
                with contextlib.suppress(OSError):
                    place.rmdir()
                raise
            return DeletedRun(key=key, name=name)

    def undo(self, key: str) -> str:
        """Put the run that was deleted under `key` back; return its name.

        Raises `UnknownName` when the trash does not have it any more, and `RunExists` when its name is taken.
        """
        with self._lock:
            deleted = {each.key: each for each in self._deleted()}
            if key not in deleted:
                raise UnknownName.among(key, deleted, kind="key of a deleted run")
            name = deleted[key].name
            with _named_failures(name, "put back"):
                place = self._trash() / key
                _move(place / name, self.folder / name)
                _remove_if_empty(place)
            return name

    def deleted(self) -> tuple[DeletedRun, ...]:
        """The runs in the trash, the latest last."""
        with self._lock:
            return tuple(self._deleted())

    def empty(self) -> tuple[str, ...]:
        """Delete the runs in the trash from the disk. There is no way back.

        Files in a run's folder that no run puts there are not deleted: they go back to where they were, in a folder of
        the same name, or stay in the trash when there is another by now. Return the names of such folders.
        Raises `RunError` when files cannot be deleted.
        """
        kept = []
        with self._lock:
            for each in list(self._deleted()):
                with _named_failures(each.name, "deleted"):
                    place = self._trash() / each.key
                    path = place / each.name
                    if not _links(path):
                        remove_own_files(path)
                        (path / LOCK_FILE).unlink(missing_ok=True)
                    if any(path.iterdir()):
                        kept.append(each.name)
                        with contextlib.suppress(RunExists):
                            _move(path, self.folder / each.name)
                    else:
                        path.rmdir()
                    _remove_if_empty(place)
            _remove_if_empty(self.folder / TRASH_FOLDER)
        return tuple(kept)

    def _trash(self) -> Path:
        """The trash; made when there is none. Raises `RunError` when its place is taken by a link or a file."""
        path = self.folder / TRASH_FOLDER
        path.mkdir(exist_ok=True)
        if not _is_folder(path):
            raise RunError(f"{TRASH_FOLDER!r} in the folder of runs is a link, not a folder. Delete the link.")
        return path

    def _deleted(self) -> Iterator[DeletedRun]:
        path = self.folder / TRASH_FOLDER
        if not _is_folder(path):
            return
        for place in sorted(path.iterdir(), key=_age):
            if _KEY.fullmatch(place.name) and _is_folder(place):
                for run in place.iterdir():
                    if _is_folder(run):
                        yield DeletedRun(key=place.name, name=run.name)

    # -------------------------------------------------------------------------------------------------------- inside

    def _path(self, name: str) -> Path:
        """The folder of the run `name`. Raises `UnknownName` when no run right in the folder is called so."""
        path = self.folder / name
        if not _is_name(name) or not _is_folder(path) or not has_content(path):
            raise _unknown(name, self._names())
        links = _links(path)
        if links:
            raise RunError(
                f"The run {name!r} has a link in its folder ({links[0]!r}), and links are never followed. "
                "Delete the link, or edit the run by hand."
            )
        return path

    def _names(self) -> list[str]:
        return [
            each.name
            for each in self.folder.iterdir()
            if _is_name(each.name) and _is_folder(each) and has_content(each)
        ]


class _named_failures:  # noqa: N801 - reads as a statement
    def __init__(self, name: str, verb: str) -> None:
        self._name = name
        self._verb = verb

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, RunError):
            raise RunError(
                f"The run {self._name!r} cannot be {self._verb}: {error.strerror or type(error).__name__}. "
                "Check the permissions of its folder, and the space on the disk."
            ) from error


def _unknown(name: str, names: Sequence[str]) -> UnknownName:
    if len(names) <= MOST_LISTED:
        return UnknownName.among(name, names, kind="run")
    near = difflib.get_close_matches(name, names, n=1)
    return UnknownName(
        f"{name!r} is not a run." + (f" Did you mean {near[0]!r}?" if near else "") + f" There are {len(names):,} runs."
    )


def _content(path: Path) -> dict[str, object]:
    try:
        return read_run_file(path)
    except (FileNotFoundError, RunError):
        return {}


def _require_idle(path: Path) -> None:
    """Raises `RunInUse` while somebody writes the run at `path`."""
    in_use = RunInUse(f"The run {path.name!r} is being written. Wait until it ends, or stop it.")
    if status_of(path, {"status": "running", **_content(path)}) == "running":
        raise in_use
    if (path / LOCK_FILE).exists():
        try:
            RunLock(path).release()
        except RunInUse as error:
            raise in_use from error


def _move(path: Path, target: Path) -> None:
    """Rename `path`, never in the place of something. Raises `RunExists` and `OSError`."""
    if os.path.lexists(target):
        raise RunExists(f"There is a {target.name!r} in the folder of runs already. Choose another name, or rename it.")
    path.rename(target)


def _links(path: Path) -> list[str]:
    """The links right in the folder `path`."""
    return [each.name for each in path.iterdir() if each.is_symlink()]


def _is_folder(path: Path) -> bool:
    """Whether `path` is a folder, and not a link to one."""
    try:
        return stat.S_ISDIR(path.stat(follow_symlinks=False).st_mode)
    except OSError:
        return False


def _is_name(name: str) -> bool:
    """Whether a run in the folder may be called `name`: a single visible part of a path."""
    return bool(name) and not name.startswith(".") and not any(each in name for each in "/\\\0")


def _require_name(name: str) -> None:
    if not _is_name(name) or not name.isprintable() or len(os.fsencode(name)) > LONGEST_NAME or name != name.strip():
        raise ArgumentError(
            "A run's name is that of a folder: no slash, no backslash, no dot at the start, no space at an end, not "
            f"empty, at most {LONGEST_NAME} bytes. Received: {name[:LONGEST_NAME]!r}."
        )


def _require_tag(tag: str) -> None:
    if not tag.strip() or not tag.isprintable() or len(tag) > LONGEST_TAG:
        raise ArgumentError(
            f"A tag is a text on one line of at most {LONGEST_TAG} characters, not empty. "
            f"Received: {tag[:LONGEST_TAG]!r}."
        )


def _age(place: Path) -> tuple[int, str]:
    stamp = place.name.partition("-")[0]
    return (int(stamp, 16) if re.fullmatch(r"[0-9a-f]{1,20}", stamp) else 0), place.name


def _remove_if_empty(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.rmdir()
