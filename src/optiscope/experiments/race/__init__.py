"""Races: optimizers on the same problem, from the same starts, with the same budget for tuning."""

from __future__ import annotations
