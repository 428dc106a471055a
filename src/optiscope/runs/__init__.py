"""Runs on disk: written from a training loop, read while they are written or long after."""

from __future__ import annotations

from optiscope.runs.catalogue import Catalogue, RunSummary, runs
from optiscope.runs.events import Event
from optiscope.runs.losses import Losses
from optiscope.runs.rows import Block, PendingValue, Position, Row
from optiscope.runs.run import Run, open_run
from optiscope.runs.schema import FORMAT_VERSION
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
    "open_run",
    "runs",
]
