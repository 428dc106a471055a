"""The changes of a folder as server-sent events: each with the number from which a page that was away goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from optiscope.dashboard.live import Changes, Watcher

HEARTBEAT_SECONDS = 15.0
"""Silence after which a comment is sent: the page knows that the server is there, the server that the page is."""
_RETRY_MILLISECONDS = 1000


async def event_stream(watcher: Watcher, last_event_id: str) -> AsyncIterator[bytes]:
    """The events, from `last_event_id` on, until the watcher is closed or the reader goes.

    The event "runs" is everything there is, and comes first, and again when the page cannot go on from where it was;
    the event "changes" is what came since.
    """
    loop = asyncio.get_running_loop()
    is_changed = asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(is_changed.set)

    number = _number_of(watcher, last_event_id)
    with watcher.listening(wake):
        yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
        while not watcher.is_closed:
            is_changed.clear()
            changes = watcher.changes_since(number)
            if changes is not None:
                if changes:
                    yield _encoded(watcher, changes)
                number = changes.number
            try:
                await asyncio.wait_for(is_changed.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"


def _encoded(watcher: Watcher, changes: Changes) -> bytes:
    content: dict[str, object]
    if changes.is_whole:
        kind, content = "runs", {"runs": changes.added}
    else:
        parts = {
            "added": changes.added,
            "changed": changes.changed,
            "removed": changes.removed,
            "grown": changes.grown,
        }
        kind, content = "changes", {key: value for key, value in parts.items() if value}
    # JSON has no line break in it: one line of data is one event.
    data = json.dumps(content, separators=(",", ":"))
    return f"id: {watcher.identity}-{changes.number}\nevent: {kind}\ndata: {data}\n\n".encode()


def _number_of(watcher: Watcher, last_event_id: str) -> int | None:
    """The number in the id of an event of this watcher; None for any other text."""
    identity, _, number = last_event_id.rpartition("-")
    is_ours = identity == watcher.identity and number.isdecimal() and len(number) < 16
    return int(number) if is_ours else None
