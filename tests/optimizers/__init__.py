"""Tests of the update rules, the schedules and what is built from them."""

from __future__ import annotations
