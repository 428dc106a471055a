"""Tests of the transformations of chains."""

from __future__ import annotations
