"""Matplotlib's own defaults while we draw: a user's style sheet must not change what a figure says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import matplotlib as mpl

_LOCK = RLock()
"""Matplotlib's settings belong to the process, so only one thread at a time may replace them."""

_KEEP = frozenset({"backend", "backend_fallback", "interactive", "toolbar", "timezone", "webagg.open_in_browser"})

_OURS = {
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "optiscope",
    "path.simplify": True,
    "path.simplify_threshold": 1 / 9,
    "agg.path.chunksize": 20_000,
    "axes.unicode_minus": True,
    "text.usetex": False,
    "text.parse_math": True,
    "figure.autolayout": False,
}


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw and save inside this block."""
    defaults = {key: value for key, value in mpl.rcParamsDefault.items() if key not in _KEEP}
    with _LOCK, mpl.rc_context(rc={**defaults, **_OURS}):  # type: ignore[dict-item, unused-ignore]
        yield
