"""Numbers as people write them in sentences."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share with as many digits as mean something: 0.3 %, 42 %, 99.6 %; none after the point from 100 % on."""
    if 0.0995 <= share < 0.995 or share >= 1.0 or share == 0.0:
        return f"{100 * share:,.0f} %"
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.2f} %"


def listed(names: list[str], limit: int = 4) -> str:
    """Names in a sentence, at most `limit` of them: a, b, c and 3 more."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def duration(seconds: float) -> str:
    """A length of time, such as "0.42 s", "12 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 else f"{1000 * seconds:.2g} ms"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
