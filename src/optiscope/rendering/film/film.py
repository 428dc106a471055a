"""From a figure with frames to a film."""

from __future__ import annotations

import itertools
import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optiscope.errors import ArgumentError
from optiscope.rendering.film.gif import Gif, gif
from optiscope.rendering.film.mp4 import Mp4, ffmpeg, mp4
from optiscope.rendering.film.progress import Progress
from optiscope.rendering.film.readout import Readout, strip_height
from optiscope.rendering.film.reel import reel_of
from optiscope.rendering.film.stage import Picture, PlainStage, Stage
from optiscope.rendering.film.staging import stage_for
from optiscope.rendering.film.timing import pictures
from optiscope.rendering.printing.settings import own_settings

if TYPE_CHECKING:
    import plotly.graph_objects as go

SUFFIXES = (".gif", ".mp4")
_SIZES = {".mp4": (1280, 720), ".gif": (960, 540)}
"""Width and height in pixels when none are asked for: 720p, and less for the format that cannot be compressed well."""
_CSS_HEIGHT = 540.0
"""A film is drawn as a figure of this height, so that its letters can be read from the back of a room."""
_SAMPLED = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """A film that can be written: everything that the figure could have wrong has been found."""

    suffix: str
    """".mp4" or ".gif"."""
    width: int
    """In pixels; even."""
    height: int
    """In pixels; even."""
    fps: float
    """Frames a second."""
    shown: tuple[int, ...]
    """The state of the figure that each frame of the film shows."""
    stage: Stage | PlainStage
    """Draws the states."""
    readout: Readout | None
    """Draws the strip in place of the slider, where the figure has one."""

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return len(self.shown) / self.fps

    def write(self, place: Path, progress: Progress | None = None) -> None:
        """Draw and write the film; what is at `place` when this fails is no film."""
        done = 0
        # No other thread can print meanwhile: matplotlib's settings belong to the process.
        with own_settings(), self._writer(place) as writer:
            for state, repeated in itertools.groupby(self.shown):
                times = sum(1 for _ in repeated)
                writer.add(self.picture(state), times)
                done += times
                if progress is not None:
                    progress(done, len(self.shown))

    def picture(self, state: int) -> Picture:
        """The picture of a state, inside `own_settings`; the next call may paint over it."""
        picture = self.stage.picture(state)
        return picture if self.readout is None else np.concatenate([picture, self.readout.picture(state)])

    def _writer(self, place: Path) -> AbstractContextManager[Mp4 | Gif]:
        if self.suffix == ".mp4":
            return mp4(place, width=self.width, height=self.height, fps=self.fps)
        spread = np.linspace(0, len(self.shown) - 1, _SAMPLED).astype(int)
        states = dict.fromkeys(self.shown[place] for place in spread)
        return gif(place, [self.picture(state).copy() for state in states], fps=self.fps)


def make_film(
    figure: go.Figure,
    *,
    suffix: str = ".mp4",
    width: float | None = None,
    height: float | None = None,
    scale: float | None = None,
    fps: float = 30.0,
    seconds: float | None = None,
) -> Film:
    """Prepare the film of a figure with frames.

    Each frame is drawn once by the printer, and shown as often as the film is long. Axes, colours and the camera stand
    still. Sliders and buttons are not in the film; a strip below it says what the slider would say.

    Args:
        figure: the plotly figure.
        suffix: ".mp4" or ".gif".
        width: in pixels, rounded to an even number; 1280, for a .gif 960, when None.
        height: in pixels, rounded to an even number; that of 16:9 when None.
        scale: pixels for each CSS pixel, which decides how large letters are; height/540 when None.
        fps: frames a second, at most 120; a .gif has at most 50, because browsers show faster ones slowly.
        seconds: length of the film; when None each frame is shown once, or so often that all take four seconds, and
            the last one stays for a second.

    Raises:
        ArgumentError: the figure has no frames, or a number cannot work.
        CannotDraw: a state of the figure has a part that the printer cannot draw.
        MissingDependency: there is no ffmpeg for an .mp4.
    """
    suffix = suffix.lower()
    most = 50 if suffix == ".gif" else 120
    if not 1 <= fps <= most:
        raise ArgumentError(f"A film as {suffix} has 1 to {most} frames a second. Received: fps={fps!r}.")
    if seconds is not None and not 0.1 <= seconds <= 3600:
        raise ArgumentError(f"A film lasts 0.1 to 3600 seconds. Received: seconds={seconds!r}.")
    wide, high = _size(suffix, width, height)
    used = scale if scale is not None else min(high / _CSS_HEIGHT, wide / (_CSS_HEIGHT * 4 / 3))
    if suffix == ".mp4":
        ffmpeg()
    reel = reel_of(figure)
    strip = 2 * round(strip_height(reel.readings) * used / 2)
    stage = stage_for(reel, width=wide, height=high - strip, scale=used)
    readout = Readout(reel.together, reel.readings, width=wide, height=strip, scale=used) if strip else None
    with own_settings():
        # What the printer cannot draw is found before anything is written.
        stage.picture(0)
    meta = figure.layout.meta
    linger = isinstance(meta, dict) and bool(meta.get("linger"))
    shown = tuple(pictures(len(reel.states), fps=fps, seconds=seconds, linger=linger))
    return Film(suffix=suffix, width=wide, height=high, fps=fps, shown=shown, stage=stage, readout=readout)


def _size(suffix: str, width: float | None, height: float | None) -> tuple[int, int]:
    standard = _SIZES[suffix]
    if width is None and height is None:
        return standard
    ratio = standard[0] / standard[1]
    wide = width if width is not None else (height or 0.0) * ratio
    high = height if height is not None else wide / ratio
    sides = tuple(max(2, 2 * math.floor(side / 2 + 0.5)) for side in (wide, high))
    if not all(64 <= side <= 7680 for side in sides):
        raise ArgumentError(f"A film is 64 to 7680 pixels wide and high. Received: {wide:g} × {high:g}.")
    return sides[0], sides[1]
