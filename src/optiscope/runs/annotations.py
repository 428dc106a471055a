"""Tags and note of a run as somebody changed them: kept beside run.json, which belongs to the run's writer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optiscope.runs.run_file import replace_file
from optiscope.runs.schema import ANNOTATIONS_FILE, FORMAT_VERSION


def read_annotations(run_path: Path, content: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Tags and note of the run at `run_path`: the changed ones, else those of its run.json `content`."""
    try:
        changed = json.loads((run_path / ANNOTATIONS_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        changed = {}
    chosen = {**content, **changed} if isinstance(changed, dict) else content
    tags = chosen.get("tags")
    return tuple(map(str, tags)) if isinstance(tags, list) else (), str(chosen.get("note") or "")


def write_annotations(run_path: Path, *, tags: Sequence[str], note: str) -> None:
    """Replace tags and note of the run at `run_path`. Raises `OSError`."""
    content = {"format_version": FORMAT_VERSION, "tags": list(dict.fromkeys(tags)), "note": note}
    replace_file(run_path / ANNOTATIONS_FILE, json.dumps(content, indent=1).encode() + b"\n", durable=True)
