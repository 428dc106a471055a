"""The strip below a film in place of the slider: what the slider would say, and how far the film is."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optiscope.rendering.film.stage import Picture
from optiscope.rendering.printing.colours import parse_colour, with_opacity
from optiscope.rendering.printing.page import DPI
from optiscope.rendering.printing.specification import Specification
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import Font, lettering

_WITH_WORDS, _BARE = 36.0, 18.0
"""Heights in CSS pixels, with and without anything to say."""
_MARGIN = 24.0
"""Left and right, in CSS pixels."""
_GAP = 16.0
"""Between the words and the rail, in CSS pixels."""
_LEVEL = 0.62
"""Height of the middle of words and rail, as a share of the strip."""
_LETTERS = 15.0
"""In CSS pixels."""


def strip_height(readings: tuple[str, ...]) -> float:
    """Height of the strip in CSS pixels; 0 when the figure has no slider."""
    return 0.0 if not readings else _WITH_WORDS if any(readings) else _BARE


class Readout:
    """Draws the strip."""

    def __init__(
        self, specification: Specification, readings: tuple[str, ...], *, width: int, height: int, scale: float
    ) -> None:
        layout = specification.layout
        own = Font().of(layout)
        self._readings = readings
        self._font = Font(family=own.family, size=_LETTERS, colour=own.colour)
        self._renderer = RendererAgg(width, height, DPI * scale)  # type: ignore[no-untyped-call]
        self._figure = Figure(figsize=(width / scale / DPI, height / scale / DPI), dpi=DPI * scale)
        self._figure.set_facecolor(parse_colour(layout.text("paper_bgcolor", "#fff")))
        css_width = width / scale
        self._text = self._figure.text(_MARGIN / css_width, _LEVEL, "", va="center", ha="left")
        widest = self._widest() / scale
        self._start = (_MARGIN + widest + (_GAP if widest else 0.0)) / css_width
        self._end = 1.0 - _MARGIN / css_width
        self._rail(self._end, 0.2)
        self._done = self._rail(self._start, 0.75)

    def picture(self, index: int) -> Picture:
        """The strip at a state; the next call paints over it."""
        lettering(self._readings[index], self._font, part="slider").dress(self._text)
        share = index / max(1, len(self._readings) - 1)
        self._done.set_xdata([self._start, self._start + share * (self._end - self._start)])
        self._renderer.clear()  # type: ignore[no-untyped-call]
        self._figure.draw(self._renderer)
        return np.asarray(self._renderer.buffer_rgba())  # type: ignore[no-untyped-call]

    def _widest(self) -> float:
        """Pixels that the longest reading takes: the rail begins at the same place in every picture."""
        longest = max(map(len, self._readings))
        widest = 0.0
        for reading in {reading for reading in self._readings if len(reading) >= longest - 1}:
            lettering(reading, self._font, part="slider").dress(self._text)
            widest = max(widest, self._text.get_window_extent(self._renderer).width)
        return widest

    def _rail(self, end: float, opacity: float) -> Line2D:
        line = Line2D(
            [self._start, end], [_LEVEL, _LEVEL], color=with_opacity(self._font.colour, opacity), linewidth=points(4.0),
            solid_capstyle="round", transform=self._figure.transFigure,
        )  # fmt: skip
        self._figure.add_artist(line)
        return line
