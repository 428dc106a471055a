"""Transformations of gradients into updates, one a file, for `chain`."""

from __future__ import annotations
