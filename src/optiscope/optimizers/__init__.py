"""Update rules, the transformations they can be composed of, and schedules for their settings."""

from __future__ import annotations
