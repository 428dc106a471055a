"""How long a film lasts: which state each of its pictures shows."""

from __future__ import annotations

import math

SHORTEST = 4.0
"""Seconds that the movement takes at least, unless a length is asked for: nobody sees twenty pictures in a blink."""
REST = 1.0
"""Seconds for which the end is shown, so that it can be read."""


LINGER, SLOWER = 30, 3
"""So many states at the beginning are shown so many times as long, where a film lingers."""


def pictures(states: int, *, fps: float, seconds: float | None = None, linger: bool = False) -> list[int]:
    """The state that each picture of a film shows.

    Each state is shown once, or as often as makes the movement last `SHORTEST` seconds, and the last one `REST`
    seconds longer.

    Args:
        states: how many there are.
        fps: pictures a second.
        seconds: length of the whole film; states are repeated or left out, evenly, to fill it. The first and the last
            are always shown.
        linger: whether the first states are shown longer; only where no length is asked for.
    """
    if seconds is None:
        often = max(1, math.ceil(SHORTEST * fps / states))
        times = [often * (SLOWER if linger and state < min(LINGER, states // 3) else 1) for state in range(states)]
        return [state for state, count in enumerate(times) for _ in range(count)] + [states - 1] * round(REST * fps)
    total = max(2, round(seconds * fps))
    rest = round(min(REST, seconds / 5) * fps)
    moving = max(1, total - rest)
    if moving >= states:
        shown = [index * states // moving for index in range(moving)]
    else:
        shown = [round(index * (states - 1) / max(1, moving - 1)) for index in range(moving)]
    return shown + [states - 1] * (total - moving)
