"""Update rules, one a file. Each module has a `RULE`, and is found by itself."""

from __future__ import annotations
