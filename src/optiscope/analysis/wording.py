"""Numbers as people write them in sentences."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share between 0 and 1 with as many digits as mean something: 0.3 %, 42 %, 99.6 %."""
    if 0.0995 <= share < 0.995 or share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.2f} %"


def counted(count: int, noun: str) -> str:
    """`count` and the noun in the number that it asks for: 1 run, 2 runs."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(names: list[str], limit: int = 4) -> str:
    """Names in a sentence, at most `limit` of them: a, b, c and 3 more."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
