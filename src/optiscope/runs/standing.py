"""Where a run stands: its status, when it began, how far it has come; as its run.json and its writer say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optiscope.runs.heartbeat import is_writing
from optiscope.runs.json_form import number_from_json


def status_of(path: Path, content: Mapping[str, Any]) -> str:
    """The status of the run at `path` whose run.json is `content`, and whose writer may be gone."""
    status = str(content.get("status", "running"))
    return "crashed" if status == "running" and not is_writing(path) else status


def started_of(path: Path, content: Mapping[str, Any]) -> datetime:
    """When the run began (UTC); by the folder's date when run.json does not say."""
    try:
        started = datetime.fromisoformat(str(content["started"]))
        return started.replace(tzinfo=UTC) if started.tzinfo is None else started.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def progress_of(content: Mapping[str, Any]) -> tuple[int, float]:
    """Last step, and seconds so far, as run.json says."""
    try:
        seconds = number_from_json(content.get("seconds", 0.0))
    except ValueError:
        seconds = 0.0
    steps = content.get("steps")
    return steps if isinstance(steps, int) else 0, 0.0 if math.isnan(seconds) else seconds
