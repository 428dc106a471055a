"""The rows of the runs list. Only runs whose files have changed since the last look are read again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optiscope.dashboard.metric_extremes import MetricExtremes, best_values
from optiscope.errors import NewerFormat, RunDamaged, RunNotFound
from optiscope.runs.annotations import read_annotations
from optiscope.runs.files import has_content
from optiscope.runs.json_form import number_from_json
from optiscope.runs.run_file import last_values_of, read_run_file
from optiscope.runs.schema import ANNOTATIONS_FILE, RUN_FILE, SEGMENT_SUFFIX, SERIES_FOLDER
from optiscope.runs.standing import progress_of, started_of, status_of

PIN_TAG = "pinned"
"""The tag that keeps a run at the top. It is shown as `pinned`, not among the tags."""
STALLED_SECONDS = 60.0
"""A run that is written but has had no new row for longer, and for `STALLED_STEPS` of its steps, has stalled."""
STALLED_STEPS = 20
MAIN_METRICS = 8
"""Metrics of a run whose best value is in its row."""
READING_SECONDS = 1.0
"""Time that one listing spends on series that nobody has read yet; the rest is left to the next listing."""

_UNHURRIED = ("running", "stalled")
_SEED = re.compile(r"(?:^|[._\-/])(?:\w*_)?(?:random_?state|seeds?)$", re.IGNORECASE)
_DEEPEST_CONFIG = 32

_Stamp = tuple[int, int, int]
"""Inode, size and time of change of a file: together they tell whether it is still the same."""


@dataclass(slots=True)
class _Known:
    """What was read of one run."""

    stamps: tuple[_Stamp | None, _Stamp | None]
    """Of run.json and annotations.json."""
    content: dict[str, Any]
    """run.json without what the list never needs; empty when it cannot be read."""
    row: dict[str, object]
    extremes: MetricExtremes = field(default_factory=MetricExtremes)
    has_news: bool = True
    """Whether the series may have grown since they were read."""
    newest: float = 0.0
    """When run.json or a segment changed last, seconds since 1970."""


class RunsTable:
    """The runs of a folder as rows. One table may be asked from several threads.

    A row is a plain mapping:

    - `name`, `id`, `status` ("running", "finished", "failed", "terminated", "crashed", "stalled": still written but
      without a new row for long, or "unreadable": `fault` says why), `started` (ISO 8601, UTC), `duration` (seconds),
      `steps`, `seed`, `tags`, `note`, `pinned`, `fault`
    - `config`: flat, nested entries joined by dots; `model` and `optimizer`: their names; `hyperparameters`: those of
      the first parameter group
    - `last`: last value of each user metric; `best`, `best_steps`: best finite value of the main ones and its step,
      the smallest unless the name speaks of an accuracy or the like
    - `overhead`: measured share of the training time, or None
    - `group`: the same for runs that differ in their seed only

    Numbers may be NaN or infinite; `to_json` writes them as a reader of runs expects.
    """

    def __init__(self, folder: str | os.PathLike[str], *, reading_seconds: float = READING_SECONDS) -> None:
        """The runs right in `folder`. `reading_seconds` bounds the time that one listing spends on new series."""
        self.folder = Path(folder)
        """The folder of the runs."""
        self.runs_read = 0
        """Run files read so far: a measure of the work done."""
        self._reading_seconds = reading_seconds
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    @property
    def pending(self) -> int:
        """Runs whose best values the next listing completes."""
        return sum(known.has_news for known in self._known.values())

    def rows(self) -> list[dict[str, object]]:
        """A row for each run, oldest first. Links are not followed, and hidden folders are none.

        Raises `RunNotFound` when the folder cannot be read.
        """
        with self._lock:
            try:
                entries = [each for each in os.scandir(self.folder) if not each.name.startswith(".")]
                names = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
            except OSError as error:
                raise RunNotFound(
                    f"The folder of runs {self.folder.name!r} cannot be read: {error.strerror}. Check the path."
                ) from error
            for gone in self._known.keys() - set(names):
                del self._known[gone]
            for name in names:
                self._look_at(name)
            self._read_series()
            rows = [dict(known.row) for known in self._known.values()]
        return sorted(rows, key=lambda row: (str(row["started"]), str(row["name"])))

    def _look_at(self, name: str) -> None:
        """Bring the row of the run `name` up to date, its best values apart."""
        path = self.folder / name
        stamps = (_stamp(path / RUN_FILE), _stamp(path / ANNOTATIONS_FILE))
        known = self._known.get(name)
        if known is None or known.stamps != stamps:
            read = self._read(path, stamps, known)
            if read is None:
                self._known.pop(name, None)
                return
            self._known[name] = known = read
        if known.row["fault"]:
            return
        earlier = known.row["status"]
        status = status_of(path, known.content)
        if status == "running":
            known.has_news = True
            if _silence(known) > max(STALLED_SECONDS, STALLED_STEPS * _step_seconds(known.row)):
                status = "stalled"
        known.row["status"] = status
        known.has_news |= earlier != status and earlier in _UNHURRIED

    def _read(self, path: Path, stamps: tuple[_Stamp | None, _Stamp | None], known: _Known | None) -> _Known | None:
        self.runs_read += 1
        content, fault = _content(path)
        if fault and not has_content(path):
            return None
        try:
            started = started_of(path, content)
        except OSError:
            return None  # deleted while the folder was read
        steps, seconds = progress_of(content)
        tags, note = read_annotations(path, content)
        config, hyperparameters = flat(_mapping(content.get("config"))), _hyperparameters(content)
        optimizer, model = _first(content.get("optimizer")).get("name"), _mapping(content.get("model")).get("name")
        seed = content.get("seed")
        row: dict[str, object] = {
            "name": path.name,
            "id": str(content.get("id", "")),
            "status": "unreadable" if fault else str(content.get("status", "running")),
            "started": started.isoformat(),
            "duration": seconds,
            "steps": steps,
            "seed": seed if isinstance(seed, int) else None,
            "tags": [tag for tag in tags if tag != PIN_TAG],
            "note": note,
            "pinned": PIN_TAG in tags,
            "fault": fault,
            "config": config,
            "model": str(model or ""),
            "optimizer": str(optimizer or ""),
            "hyperparameters": hyperparameters,
            "last": last_values_of(content),
            "best": {},
            "best_steps": {},
            "overhead": _overhead(content),
            "group": _group_key(path.name, config, str(model or ""), str(optimizer or ""), hyperparameters),
        }
        kept = {key: content[key] for key in ("status",) if key in content}
        found = _Known(stamps=stamps, content=kept, row=row, newest=stamps[0][2] / 1e9 if stamps[0] else 0.0)
        if known is not None and known.row["id"] == row["id"]:
            found.extremes = known.extremes
            found.newest = max(found.newest, known.newest)
            # A changed tag or note says nothing of the series.
            found.has_news = known.has_news or known.stamps[0] != stamps[0]
            _fill_best(found)
        return found

    def _read_series(self) -> None:
        """Complete the best values, as far as the time goes: at least one run, and the rest at the next listing."""
        deadline = time.perf_counter() + self._reading_seconds
        for name, known in self._known.items():
            if not known.has_news:
                continue
            segments = dict(_segments(self.folder / name / SERIES_FOLDER))
            known.newest = max([known.newest, *(stamp[2] / 1e9 for stamp in segments.values())])
            if known.extremes.update({path: (stamp[0], stamp[1]) for path, stamp in segments.items()}):
                _fill_best(known)
            known.has_news = False
            if time.perf_counter() > deadline:
                return


def flat(config: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, object]:
    """Nested mappings as one, their keys joined by dots; lists stay as they are.

    >>> flat({"model": {"width": 3}, "betas": [0.9, 0.99]})
    {'model.width': 3, 'betas': [0.9, 0.99]}
    """
    found: dict[str, object] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value and depth < _DEEPEST_CONFIG:
            found |= flat(value, f"{prefix}{key}.", depth + 1)
        else:
            found[f"{prefix}{key}"] = value
    return found


def is_seed(name: str) -> bool:
    """Whether the config entry `name` is a seed: `seed`, `data.random_state`, `torch_seed`."""
    return _SEED.search(name) is not None


def _content(path: Path) -> tuple[dict[str, Any], str]:
    """run.json of the run at `path`, and what is wrong with it, without a path of this machine."""
    for name in (RUN_FILE, ANNOTATIONS_FILE):
        if (path / name).is_symlink():
            return {}, f"{name} is a link, and links are not followed"
    try:
        return read_run_file(path), ""
    except FileNotFoundError:
        return {}, f"{RUN_FILE} is missing"
    except (RunDamaged, NewerFormat) as error:
        return {}, str(error).replace(f"{path}{os.sep}", "").replace(str(path), path.name)


def _segments(folder: Path) -> Iterator[tuple[Path, _Stamp]]:
    try:
        if folder.is_symlink():
            return
        for entry in os.scandir(folder):
            if entry.name.endswith(SEGMENT_SUFFIX) and not entry.is_symlink():
                found = entry.stat(follow_symlinks=False)
                yield Path(entry.path), (found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError:
        return


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISLNK(found.st_mode):
        return -found.st_ino, found.st_size, found.st_mtime_ns
    return found.st_ino, found.st_size, found.st_mtime_ns


def _silence(known: _Known) -> float:
    """Seconds since something was last written."""
    return time.time() - known.newest


def _step_seconds(row: Mapping[str, object]) -> float:
    steps, seconds = row["steps"], row["duration"]
    return seconds / steps if isinstance(steps, int) and isinstance(seconds, float) and steps > 0 else 0.0


def _fill_best(known: _Known) -> None:
    last = known.row["last"]
    metrics = sorted(last if isinstance(last, dict) else {}, key=_importance)[:MAIN_METRICS]
    best = best_values(known.extremes.found, metrics)
    known.row["best"] = {name: value for name, (value, _) in best.items()}
    known.row["best_steps"] = {name: step for name, (_, step) in best.items()}


def _importance(metric: str) -> tuple[int, str]:
    """Losses of the test and validation data are what runs are compared by, then other losses, then the rest."""
    name = metric.casefold()
    is_held_out = any(word in name for word in ("val", "test", "eval"))
    return (0 if name == "loss" else 1 if is_held_out else 2 if "loss" in name or "acc" in name else 3), name


def _overhead(content: Mapping[str, Any]) -> float | None:
    try:
        return number_from_json(_mapping(content.get("overhead")).get("fraction"))
    except ValueError:
        return None


def _hyperparameters(content: Mapping[str, Any]) -> dict[str, object]:
    groups = _first(content.get("optimizer")).get("groups")
    return flat(_mapping(_first(groups).get("hyperparameters")))


def _group_key(name: str, config: Mapping[str, object], model: str, optimizer: str, settings: object) -> str:
    """A short text that is the same for runs with the same settings; a run that tells none is alone."""
    told = {key: value for key, value in sorted(config.items()) if not is_seed(key)}
    known: object = [told, model, optimizer, settings]
    if not any((told, model, optimizer, settings)):
        known = name
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


def _first(value: object) -> Mapping[str, Any]:
    return _mapping(value[0] if isinstance(value, list) and value else value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
