"""Each rule against its reference, step by step."""

from __future__ import annotations
