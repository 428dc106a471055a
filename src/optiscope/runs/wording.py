"""Numbers as people write them in sentences, for whatever speaks of a run."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`count` and the noun in the number that it asks for: 1 run, 2 runs."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
