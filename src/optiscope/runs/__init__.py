"""Runs on disk: written from a training loop, read while they are written or long after."""

from __future__ import annotations

from optiscope.runs.catalogue import Catalogue, RunSummary, runs
from optiscope.runs.events import Event
from optiscope.runs.exit_guard import status_after
from optiscope.runs.integrity import Integrity, check
from optiscope.runs.losses import Losses
from optiscope.runs.rows import Block, PendingValue, Position, Row
from optiscope.runs.run import Run, open_run
from optiscope.runs.schema import FORMAT_VERSION, fixed_edges
from optiscope.runs.series import HistogramSeries, Series
from optiscope.runs.snapshots import Snapshots
from optiscope.runs.tail import Cursor, Tail
from optiscope.runs.writer import RunWriter

__all__ = [
    "FORMAT_VERSION",
    "Block",
    "Catalogue",
    "Cursor",
    "Event",
    "HistogramSeries",
    "Integrity",
    "Losses",
    "PendingValue",
    "Position",
    "Row",
    "Run",
    "RunSummary",
    "RunWriter",
    "Series",
    "Snapshots",
    "Tail",
    "check",
    "fixed_edges",
    "open_run",
    "runs",
    "status_after",
]
