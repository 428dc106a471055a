"""What happened in a run besides numbers: start, stop, resume, notes, findings, faults. One JSON object a line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from optiscope.runs.json_form import number_from_json
from optiscope.runs.schema import EVENTS_FILE


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened."""

    kind: str
    """What kind of thing: "start", "stop", "resume", "exception", "fault", "signal", "note", "finding", …"""
    seconds: float
    """Time since the run began, in seconds."""
    step: int
    """Optimizer steps completed."""
    message: str
    """For people: one sentence."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """For programs: whatever the kind needs."""
    time: float = 0.0
    """Wall clock, seconds since 1970 (UTC)."""


@dataclass(frozen=True, kw_only=True)
class EventLines:
    """A stretch of an event file."""

    events: tuple[Event, ...]
    """The events in it."""
    end: int
    """Offset behind the last whole line, in bytes."""
    torn_bytes: int
    """Bytes behind `end`, of a line that was not finished."""
    unreadable_lines: int
    """Whole lines that hold no event."""


def encode_event(event: Event) -> bytes:
    """The line of `event`; its details must already be JSON."""
    content = {
        "kind": event.kind,
        "step": event.step,
        "seconds": event.seconds,
        "time": event.time or time.time(),
        "message": event.message,
        "details": dict(event.details),
    }
    return json.dumps(content, allow_nan=False).encode() + b"\n"


def append_events(run_path: Path, lines: bytes, *, durable: bool) -> None:
    """Append encoded events to the event file in one write. Raises `OSError`."""
    descriptor = os.open(
        run_path / EVENTS_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        size = os.fstat(descriptor).st_size
        if size and os.lseek(descriptor, size - 1, os.SEEK_SET) >= 0 and os.read(descriptor, 1) != b"\n":
            lines = b"\n" + lines  # a killed writer left half a line: it must not swallow ours
        remaining = memoryview(lines)
        while remaining:
            remaining = remaining[os.write(descriptor, remaining) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_events(run_path: Path, *, start: int = 0, stop: int | None = None) -> EventLines:
    """The events between the offsets `start` and `stop` (default: the end). A missing file has none.

    Raises `OSError` when the file is there and cannot be read.
    """
    try:
        with (run_path / EVENTS_FILE).open("rb") as file:
            file.seek(start)
            content = file.read() if stop is None else file.read(max(0, stop - start))
    except FileNotFoundError:
        return EventLines(events=(), end=start, torn_bytes=0, unreadable_lines=0)
    whole, _, torn = content.rpartition(b"\n")
    lines = [line for line in whole.split(b"\n") if line.strip()]
    events = [event for event in map(_decode, lines) if event is not None]
    return EventLines(
        events=tuple(events),
        end=start + len(content) - len(torn),
        torn_bytes=len(torn),
        unreadable_lines=len(lines) - len(events),
    )


def _decode(line: bytes) -> Event | None:
    try:
        content = json.loads(line)
        details = content.get("details") or {}
        return Event(
            kind=str(content["kind"]),
            seconds=number_from_json(content.get("seconds", 0.0)),
            step=int(content.get("step", 0)),
            message=str(content.get("message", "")),
            details=MappingProxyType(dict(details)),
            time=number_from_json(content.get("time", 0.0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
