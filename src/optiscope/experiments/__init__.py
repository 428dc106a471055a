"""Experiments drive the whole line, from a problem and optimizers to recorded runs."""

from __future__ import annotations
