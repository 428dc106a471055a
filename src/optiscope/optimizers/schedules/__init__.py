"""Schedules, one a file: a number for each step."""

from __future__ import annotations
