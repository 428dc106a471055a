"""Reports: one self-contained page per run or comparison."""

from __future__ import annotations

from optiscope.rendering.report.page import write_report

__all__ = ["write_report"]
