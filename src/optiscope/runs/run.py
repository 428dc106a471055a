"""A run, read from disk while it is written or long after."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from optiscope.errors import RunDamaged, RunNotFound, UnknownName
from optiscope.runs.annotations import read_annotations
from optiscope.runs.events import Event, EventLines, read_events
from optiscope.runs.files import has_content, segment_files
from optiscope.runs.losses import Losses
from optiscope.runs.run_file import last_values_of, read_run_file
from optiscope.runs.schema import EVENTS_FILE, NONFINITE_SUFFIX, RUN_FILE, SERIES_FOLDER
from optiscope.runs.segment_reader import SegmentReader
from optiscope.runs.series import HistogramSeries, Series
from optiscope.runs.series_table import SeriesTable
from optiscope.runs.snapshots import Snapshots
from optiscope.runs.standing import progress_of, started_of, status_of
from optiscope.runs.tail import Cursor, Tail, read_tail


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open the run in the folder `path`, whether it is finished, still being written, or what a crash left.

    Raises:
        RunNotFound: There is no such folder, or it holds no run.
        RunDamaged: There is one, and nothing of it can be read.
        NewerFormat: It was written by a newer version of Optiscope.
    """
    return Run(Path(path))


class Run:
    """One run as it was when it was opened. Nothing in it changes, and nothing is ever written.

    Series are read from disk when they are asked for. `run["loss"]` is one, `run.names` lists them, `run.losses` says
    what is missing, `refresh` opens the run anew, and `since` gives only what is new.
    """

    def __init__(self, path: Path) -> None:
        """Use `open_run`."""
        self.path = path
        """The run's folder."""
        self._content, self._fault = _read_content(path)
        files = segment_files(path)
        self._segments: list[SegmentReader] = []
        self._unreadable: dict[str, tuple[str, int]] = {}
        for file in files:
            try:
                self._segments.append(SegmentReader(file))
            except RunDamaged as error:
                self._unreadable[f"{SERIES_FOLDER}/{file.name}"] = (str(error), _size(file))
        if self._fault is not None and not self._segments and not _has_other_parts(path):
            raise RunDamaged(
                f"Nothing of the run at {path} can be read: {self._fault.rstrip('.')}"
                + "".join(f"; {name}: {reason}" for name, (reason, _) in self._unreadable.items())
                + ". Delete the folder, or restore it from a copy."
            )
        self._events_size = _size(path / EVENTS_FILE)
        self.snapshots = Snapshots(path)
        """The parameters at some steps."""

    # ------------------------------------------------------------------------------------------------ what it says

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.path.resolve().name

    @cached_property
    def status(self) -> str:
        """One of running, finished, failed, terminated, crashed (it says running, but its writer is gone)."""
        return status_of(self.path, self._content)

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings that the user gave."""
        return self._mapping("config")

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find the run by."""
        return self._annotations[0]

    @property
    def note(self) -> str:
        """What somebody wrote about the run."""
        return self._annotations[1]

    @property
    def environment(self) -> Mapping[str, Any]:
        """Versions, devices, host."""
        return self._mapping("environment")

    @property
    def model(self) -> Mapping[str, Any]:
        """Summary of the model: name, framework, parameters, tensors."""
        return self._mapping("model")

    @property
    def optimizer(self) -> Mapping[str, Any]:
        """Summary of the optimizer: name and groups. With several optimizers, of the first; see `optimizers`."""
        return self.optimizers[0] if self.optimizers else MappingProxyType({})

    @property
    def optimizers(self) -> tuple[Mapping[str, Any], ...]:
        """Summaries of all optimizers."""
        stored = self._content.get("optimizer") or []
        several = stored if isinstance(stored, list) else [stored]
        return tuple(MappingProxyType(each) for each in several if isinstance(each, dict))

    @property
    def overhead(self) -> Mapping[str, Any]:
        """What recording cost, as the recorder measured it."""
        return self._mapping("overhead")

    @property
    def seed(self) -> int | None:
        """Seed of the training, when it was given."""
        seed = self._content.get("seed")
        return seed if isinstance(seed, int) else None

    @property
    def last(self) -> Mapping[str, float]:
        """Last value of each user metric, as of the last time that run.json was written."""
        return MappingProxyType(last_values_of(self._content))

    @property
    def started(self) -> datetime:
        """When the run began (UTC)."""
        return started_of(self.path, self._content)

    @property
    def seconds(self) -> float:
        """How long the run has gone on, in seconds."""
        return self._end[1]

    @property
    def steps(self) -> int:
        """The last optimizer step that something was recorded at."""
        return self._end[0]

    # ------------------------------------------------------------------------------------------------------- series

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all series: user metrics in the order in which they appeared, then what was measured."""
        return tuple(self._table.series)

    def __contains__(self, name: object) -> bool:
        return name in self._table.series

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.series)

    def __len__(self) -> int:
        return len(self._table.series)

    def __getitem__(self, name: str) -> Series:
        """The series `name`. Raises `UnknownName` with the nearest name when the run has none such."""
        if name not in self._table.series:
            raise UnknownName.among(name, self.names, kind=f"series of the run {self.name!r}")
        return self._table.read(name)

    @property
    def histogram_names(self) -> tuple[str, ...]:
        """Kinds of histograms in the run: of "weights", "gradients", "updates"."""
        return tuple(name for name in self._table.histograms if not name.endswith(NONFINITE_SUFFIX))

    def histograms(self, kind: str) -> HistogramSeries:
        """The histograms of `kind`. Raises `UnknownName` when the run has none such."""
        if kind not in self.histogram_names:
            raise UnknownName.among(kind, self.histogram_names, kind=f"kind of histogram in the run {self.name!r}")
        return self._table.read_histograms(kind)

    # ------------------------------------------------------------------------------------------------------- others

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened besides numbers, in order."""
        return self._event_lines.events

    @cached_property
    def losses(self) -> Losses:
        """What is missing. While a run is being written, a record on its way is not a loss."""
        torn: dict[str, int] = {}
        for segment in self._segments:
            if segment.torn_bytes:
                torn[f"{SERIES_FOLDER}/{segment.path.name}"] = segment.torn_bytes
        if self._event_lines.torn_bytes:
            torn[EVENTS_FILE] = self._event_lines.torn_bytes
        unreadable = {name: reason for name, (reason, _) in self._unreadable.items()}
        if self.status == "running":
            torn = {}
            unreadable = {name: reason for name, reason in unreadable.items() if self._unreadable[name][1] > 0}
        lost = sum(torn.values()) + sum(self._unreadable[name][1] for name in unreadable)
        said = [f"{name} cannot be read: {reason}" for name, reason in unreadable.items()]
        if self._fault is not None:
            said.insert(0, self._fault)
        if self._event_lines.unreadable_lines:
            said.append(f"{EVENTS_FILE} has {self._event_lines.unreadable_lines} lines that hold no event")
        counters = self._content.get("counters")
        counters = counters if isinstance(counters, dict) else {}
        return Losses(
            is_crashed=self.status == "crashed" and self._fault is None,
            torn_segments=tuple(torn),
            bytes_lost=lost,
            unreadable=(*said, *self.snapshots.damaged().values()),
            rows_dropped=_count(counters.get("rows_dropped")),
            faults=_count(counters.get("faults")) + _count(self._content.get("faults")),
        )

    def since(self, cursor: Cursor | None = None) -> Tail:
        """What the run has now beyond `cursor`; everything without one. Histograms and snapshots are not in it.

        Unlike everything else here this looks at the disk as it is now, and the cost is that of what is new.
        """
        return read_tail(self.path, str(self._content.get("id", "")), cursor)

    def refresh(self) -> Run:
        """The run as it is now. Raises as `open_run` does."""
        return open_run(self.path)

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {self.status}, {self.steps} steps, {len(self)} series>"

    # ------------------------------------------------------------------------------------------------------- inside

    @cached_property
    def _table(self) -> SeriesTable:
        return SeriesTable.of(self._segments, self.name)

    @cached_property
    def _annotations(self) -> tuple[tuple[str, ...], str]:
        return read_annotations(self.path, self._content)

    @cached_property
    def _event_lines(self) -> EventLines:
        try:
            return read_events(self.path, stop=self._events_size)
        except OSError:
            return EventLines(events=(), end=0, torn_bytes=self._events_size, unreadable_lines=0)

    @cached_property
    def _end(self) -> tuple[int, float]:
        step, seconds = progress_of(self._content)
        for segment in self._segments:
            furthest = segment.furthest()
            if furthest is not None:
                step, seconds = max(step, furthest[1]), max(seconds, furthest[2])
        return step, seconds

    def _mapping(self, field: str) -> Mapping[str, Any]:
        stored = self._content.get(field)
        return MappingProxyType(stored if isinstance(stored, dict) else {})


def _read_content(path: Path) -> tuple[dict[str, Any], str | None]:
    """run.json, and what is wrong with it when the run must be read without."""
    try:
        return read_run_file(path), None
    except FileNotFoundError:
        if path.exists() and not path.is_dir():
            raise RunNotFound(f"There is no run at {path}: it is a file, and a run is a folder.") from None
        if not path.is_dir():
            raise RunNotFound(f"There is no run at {path}: no such folder. Check the path.") from None
        if not has_content(path):
            raise RunNotFound(
                f"There is no run at {path}: the folder has no {RUN_FILE} and no {SERIES_FOLDER}/."
            ) from None
        return {}, f"{RUN_FILE} is missing: config, model and status are unknown"
    except RunDamaged as error:
        return {}, str(error)


def _has_other_parts(path: Path) -> bool:
    return bool(Snapshots(path)) or _size(path / EVENTS_FILE) > 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
