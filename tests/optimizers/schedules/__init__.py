"""Tests of the schedules."""

from __future__ import annotations
