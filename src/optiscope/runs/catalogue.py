"""All runs of a folder: found, filtered, renamed, tagged, deleted. Only their run.json is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, overload

from optiscope.errors import (
    ArgumentError,
    NewerFormat,
    RunDamaged,
    RunError,
    RunExists,
    RunInUse,
    RunNotFound,
    UnknownName,
)
from optiscope.runs.annotations import read_annotations, write_annotations
from optiscope.runs.files import has_content, remove_own_files
from optiscope.runs.lock import RunLock
from optiscope.runs.run import Run, open_run
from optiscope.runs.run_file import last_values_of, read_run_file, write_run_file
from optiscope.runs.schema import LOCK_FILE, STATUSES
from optiscope.runs.standing import progress_of, started_of, status_of


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run of a catalogue, as its run.json describes it."""

    name: str
    """Name of the run: that of its folder."""
    path: Path
    """The run's folder."""
    status: str
    """"running", "finished", "failed", "terminated", "crashed", or "unreadable" (then `fault` says why)."""
    steps: int
    """Last optimizer step."""
    started: datetime
    """When the run began (UTC)."""
    seconds: float
    """How long it has gone on, in seconds."""
    config: Mapping[str, Any]
    """The settings that the user gave."""
    tags: tuple[str, ...]
    """Words to find the run by."""
    note: str
    """What somebody wrote about the run."""
    overhead: Mapping[str, Any]
    """What recording cost."""
    model: Mapping[str, Any]
    """Summary of the model."""
    optimizer: Mapping[str, Any]
    """Summary of the (first) optimizer."""
    last: Mapping[str, float]
    """Last value of each user metric."""
    fault: str = ""
    """Why run.json could not be read; empty when it could."""


def runs(folder: str | os.PathLike[str]) -> Catalogue:
    """The runs in `folder`, newest last. Raises `RunNotFound` when there is no such folder.

    Only the folder itself is searched, not the folders in it.
    """
    path = Path(folder)
    try:
        entries = [Path(entry.path) for entry in os.scandir(path) if entry.is_dir()]
    except OSError as error:
        raise RunNotFound(f"There are no runs in {path}: {error.strerror or error}. Check the path.") from error
    summaries = [summary for summary in map(_summary, entries) if summary is not None]
    return Catalogue(path, sorted(summaries, key=lambda each: (each.started, each.name)))


class Catalogue(Sequence[RunSummary]):
    """The runs of a folder, as they were when it was read. `runs(folder)` reads it anew."""

    def __init__(self, folder: Path, summaries: Sequence[RunSummary]) -> None:
        """Use `runs`."""
        self.folder = folder
        """The folder that was read."""
        self._summaries = tuple(summaries)

    def __len__(self) -> int:
        return len(self._summaries)

    def __iter__(self) -> Iterator[RunSummary]:
        return iter(self._summaries)

    @overload
    def __getitem__(self, index: int | str) -> RunSummary: ...
    @overload
    def __getitem__(self, index: slice) -> Catalogue: ...
    def __getitem__(self, index: int | str | slice) -> RunSummary | Catalogue:
        """By place, by name, or a stretch. Raises `UnknownName` for a name that there is none of."""
        if isinstance(index, slice):
            return Catalogue(self.folder, self._summaries[index])
        if isinstance(index, str):
            return self._named(index)
        return self._summaries[index]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the runs."""
        return tuple(summary.name for summary in self._summaries)

    def filter(
        self,
        predicate: Callable[[RunSummary], bool] | None = None,
        *,
        name: str | None = None,
        tag: str | None = None,
        status: str | None = None,
    ) -> Catalogue:
        """The runs that fulfil all that is given.

        Args:
            predicate: A function of the summary.
            name: A pattern for the name, with * and ?.
            tag: A tag that the run has.
            status: "running", "finished", "failed", "terminated", "crashed" or "unreadable".

        Raises:
            UnknownName: There is no such status.
        """
        statuses = (*STATUSES, "crashed", "unreadable")
        if status is not None and status not in statuses:
            raise UnknownName.among(status, statuses, kind="status of a run")
        return Catalogue(
            self.folder,
            [
                each
                for each in self._summaries
                if (name is None or fnmatchcase(each.name, name))
                and (tag is None or tag in each.tags)
                and (status is None or each.status == status)
                and (predicate is None or predicate(each))
            ],
        )

    def open(self, name: str) -> Run:
        """Open the run `name`. Raises `UnknownName`, and as `open_run` does."""
        return open_run(self._named(name).path)

    def rename(self, name: str, new_name: str) -> RunSummary:
        """Give the run `name` a new name, and its folder with it; return the new summary.

        Raises `ArgumentError` for what is no name, `RunExists` when it is taken, `RunInUse` while the run is written.
        """
        summary = self._named(name)
        if (
            not new_name
            or new_name in {".", ".."}
            or any(each in new_name for each in "/\\\0")
            or new_name.startswith(".")
        ):
            raise ArgumentError(
                "A run's name is that of a folder: no slash, no backslash, no dot at the start, not empty. "
                f"Received: {new_name!r}."
            )
        target = summary.path.with_name(new_name)
        if target.exists():
            raise RunExists(f"{target} exists already. Choose another name.")
        _require_idle(summary)
        with _named_failures(summary, "renamed"):
            summary.path.rename(target)
            try:
                content = read_run_file(target)
            except (FileNotFoundError, RunError):
                pass  # a run without a readable run.json has its name from the folder alone
            else:
                write_run_file(target, {**content, "name": new_name}, durable=True)
        return _require_summary(target)

    def tag(self, name: str, *tags: str) -> RunSummary:
        """Add `tags` to the run `name`, also while it is written; return the new summary."""
        summary = self._fresh(name)
        return self._annotate(summary, tags=(*summary.tags, *map(str, tags)), note=summary.note)

    def untag(self, name: str, *tags: str) -> RunSummary:
        """Take `tags` from the run `name`, also while it is written; return the new summary."""
        summary = self._fresh(name)
        return self._annotate(summary, tags=[tag for tag in summary.tags if tag not in tags], note=summary.note)

    def note(self, name: str, text: str) -> RunSummary:
        """Replace the note of the run `name`, also while it is written; return the new summary."""
        summary = self._fresh(name)
        return self._annotate(summary, tags=summary.tags, note=str(text))

    def delete(self, name: str, *, force: bool = False) -> None:
        """Delete the run `name` from the disk. There is no way back.

        Files in its folder that no run puts there stay, and the folder with them.
        Raises `RunInUse` while the run is written, unless `force`.
        """
        summary = self._named(name)
        if not force:
            _require_idle(summary)
        with _named_failures(summary, "deleted"):
            remove_own_files(summary.path)
            (summary.path / LOCK_FILE).unlink(missing_ok=True)
            if not any(summary.path.iterdir()):
                summary.path.rmdir()

    def __repr__(self) -> str:
        return f"<Catalogue of {str(self.folder)!r}: {len(self)} runs>"

    def _named(self, name: str) -> RunSummary:
        for summary in self._summaries:
            if summary.name == name:
                return summary
        raise UnknownName.among(name, self.names, kind=f"run in {str(self.folder)!r}")

    def _fresh(self, name: str) -> RunSummary:
        return _require_summary(self._named(name).path)

    def _annotate(self, summary: RunSummary, *, tags: Sequence[str], note: str) -> RunSummary:
        with _named_failures(summary, "annotated"):
            write_annotations(summary.path, tags=tags, note=note)
        return _require_summary(summary.path)


class _named_failures:  # noqa: N801 - reads as a statement
    def __init__(self, summary: RunSummary, verb: str) -> None:
        self._summary = summary
        self._verb = verb

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, RunError):
            raise RunError(
                f"The run {self._summary.name!r} cannot be {self._verb}: {error.strerror or error}. "
                f"Check the permissions of {self._summary.path}."
            ) from error


def _require_idle(summary: RunSummary) -> None:
    if status_of(summary.path, {"status": "running"}) == "running":
        # The writer is alive; what it writes may still be another run, so the lock has the last word.
        RunLock(summary.path).release()
        try:
            content = read_run_file(summary.path)
        except (FileNotFoundError, RunError):
            return
        if status_of(summary.path, content) == "running":
            raise RunInUse(f"The run {summary.name!r} is being written. Wait until it ends, or stop it.")


def _summary(path: Path) -> RunSummary | None:
    """The summary of the run at `path`; None when there is no run."""
    fault = ""
    try:
        content: dict[str, Any] = read_run_file(path)
    except FileNotFoundError:
        if not has_content(path):
            return None
        content, fault = {}, "run.json is missing"
    except (RunDamaged, NewerFormat) as error:
        content, fault = {}, str(error)
    try:
        started = started_of(path, content)
    except OSError:
        return None  # deleted while the folder was read
    steps, seconds = progress_of(content)
    tags, note = read_annotations(path, content)
    optimizer = content.get("optimizer")
    if isinstance(optimizer, list):
        optimizer = optimizer[0] if optimizer else {}
    return RunSummary(
        name=path.name,
        path=path,
        status="unreadable" if fault else status_of(path, content),
        steps=steps,
        started=started,
        seconds=seconds,
        config=_mapping(content.get("config")),
        tags=tags,
        note=note,
        overhead=_mapping(content.get("overhead")),
        model=_mapping(content.get("model")),
        optimizer=_mapping(optimizer),
        last=last_values_of(content),
        fault=fault,
    )


def _require_summary(path: Path) -> RunSummary:
    summary = _summary(path)
    if summary is None:
        raise RunNotFound(f"There is no run at {path} any more. Read the folder anew.")
    return summary


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
