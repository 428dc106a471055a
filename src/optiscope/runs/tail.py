"""The live end of a run: only what is new since the last look."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from optiscope.errors import ArgumentError, RunDamaged
from optiscope.runs.events import Event, read_events
from optiscope.runs.files import segment_files
from optiscope.runs.schema import HISTOGRAM_SOURCE
from optiscope.runs.segment_reader import SegmentReader
from optiscope.runs.series import Series
from optiscope.runs.series_table import SeriesTable


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far somebody has read a run."""

    run_id: str = ""
    """Which run: a new one in the same folder has another."""
    offsets: Mapping[str, int] = field(default_factory=dict)
    """Bytes read of each segment, by file name."""
    events: int = 0
    """Bytes read of the event file."""

    def of(self, file: Path) -> int:
        """Bytes read of the segment `file`."""
        return self.offsets.get(file.name, 0)

    def to_json(self) -> str:
        """The cursor as text, such as for a browser to send back."""
        return json.dumps({"run_id": self.run_id, "offsets": dict(self.offsets), "events": self.events})

    @classmethod
    def from_json(cls, text: str) -> Cursor:
        """The inverse of `to_json`. Raises `ArgumentError` for any other text."""
        try:
            content = json.loads(text)
            offsets = {str(name): int(offset) for name, offset in content["offsets"].items()}
            return cls(run_id=str(content["run_id"]), offsets=offsets, events=int(content["events"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ArgumentError(
                f"This is no cursor: use one that `Run.since` gave. Received: {text!r:.200}."
            ) from error


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What is new in a run."""

    series: Mapping[str, Series]
    """The new rows of each series that has some, by name."""
    events: tuple[Event, ...]
    """The new events."""
    cursor: Cursor
    """Where to go on from."""
    is_restarted: bool = False
    """Whether the cursor was of another run in the same folder, so that this begins from the beginning."""


def read_tail(run_path: Path, run_id: str, cursor: Cursor | None) -> Tail:
    """What the run at `run_path` has beyond `cursor` now. Only complete record batches and lines count."""
    is_restarted = cursor is not None and cursor.run_id != run_id
    known = Cursor(run_id=run_id) if cursor is None or is_restarted else cursor
    files = segment_files(run_path)
    segments = _opened(files, known.offsets) if any(map(_has_grown, files, map(known.of, files))) else []
    offsets = {**known.offsets, **{segment.path.name: segment.end for segment in segments}}
    table = SeriesTable.of(segments, run_path.name)
    series = {name: table.read(name) for name in table.series}
    lines = read_events(run_path, start=known.events)
    return Tail(
        series={name: each for name, each in series.items() if len(each)},
        events=lines.events,
        cursor=Cursor(run_id=run_id, offsets=offsets, events=lines.end),
        is_restarted=is_restarted,
    )


def _has_grown(file: Path, offset: int) -> bool:
    try:
        return file.stat().st_size > offset
    except OSError:
        return False


def _opened(files: Iterable[Path], offsets: Mapping[str, int]) -> list[SegmentReader]:
    """What is new in each segment, also in those that have not grown: their names decide those of others."""
    segments = []
    for file in files:
        try:
            segment = SegmentReader(file, start=offsets.get(file.name, 0))
        except RunDamaged:
            continue  # not begun yet, or no segment at all; opening the run says which
        if segment.layout.source != HISTOGRAM_SOURCE:
            segments.append(segment)
    return segments
