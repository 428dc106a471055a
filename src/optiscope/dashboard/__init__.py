"""The dashboard: the runs of a folder on a page that follows them while they train."""

from __future__ import annotations
