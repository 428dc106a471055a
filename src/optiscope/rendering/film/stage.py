"""Draws the pictures of a film: what stands still once, what moves in each picture, in the order of depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg

from optiscope.rendering.film.reel import Reel
from optiscope.rendering.printing.draw import draw_page, draw_surroundings
from optiscope.rendering.printing.page import DPI, Page, Panel, new_page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.scene import Scene
from optiscope.rendering.printing.specification import Specification
from optiscope.rendering.printing.traces.kinds import draw_panel

Picture = UInt8[np.ndarray, "height width 4"]
"""Red, green, blue and opacity of each pixel, from the top."""


@dataclass(slots=True, kw_only=True, eq=False)
class Stage:
    """A figure that is ready to be filmed; `optiscope.rendering.film.staging.stage_for` sets it."""

    reel: Reel
    """What is filmed."""
    page: Page
    """What stands still: axes, legend, colour bars, and the traces that do not move."""
    panels: list[tuple[Panel, list[int]]]
    """Panels in which something moves, with the places of the traces that are drawn in each picture."""
    scenes: list[tuple[Scene, list[int]]]
    """The same for 3-D scenes."""
    in_front: list[Artist]
    """What stands still in front of something that moves."""
    renderer: RendererAgg
    """The canvas."""
    scale: float
    """Pixels of the picture for each CSS pixel."""
    ground: Picture | None = field(default=None)
    """The picture of what stands still, once it is drawn."""

    def picture(self, index: int) -> Picture:
        """The picture of a state, inside `own_settings`; the next call paints over it."""
        pixels = np.asarray(self.renderer.buffer_rgba())  # type: ignore[no-untyped-call]
        if self.ground is None:
            with self._in_resolution_of_film():
                self.page.figure.draw(self.renderer)
            self.ground = pixels.copy()
        pixels[...] = self.ground
        moving = list(self._moving(self.reel.states[index]))
        with self._in_resolution_of_film():
            for artist in sorted([*moving, *self.in_front], key=_depth):
                _draw(artist, self.renderer)
        for artist in moving:
            artist.remove()
        return pixels

    @contextmanager
    def _in_resolution_of_film(self) -> Iterator[None]:
        """Drawing is done in the pixels of the film, everything else, such as placing a title, in CSS pixels."""
        self.page.figure.dpi = DPI * self.scale
        try:
            yield
        finally:
            self.page.figure.dpi = DPI

    def _moving(self, state: Specification) -> Iterator[Artist]:
        """Make the artists of what moves."""
        page = self.page
        page.specification = state
        entries, bars = len(page.legend_entries), len(page.colour_bars)
        for panel, numbers in self.panels:
            with new_artists(panel.axes) as made:
                draw_panel(_visible(state, numbers), panel, page)
            yield from made
        for scene, numbers in self.scenes:
            for number, trace in _visible(state, numbers):
                yield from scene.draw_trace(number, trace, page)
        del page.legend_entries[entries:], page.colour_bars[bars:]
        yield from draw_surroundings(page, self.reel.changing)


@dataclass(slots=True, kw_only=True, eq=False)
class PlainStage:
    """A figure of which each picture is drawn from nothing, because what changes reaches into everything else."""

    reel: Reel
    """What is filmed."""
    width: float
    """In CSS pixels."""
    height: float
    """In CSS pixels."""
    renderer: RendererAgg
    """The canvas."""
    scale: float
    """Pixels of the picture for each CSS pixel."""

    def picture(self, index: int) -> Picture:
        """The picture of a state, inside `own_settings`; the next call paints over it."""
        page = new_page(self.reel.states[index], width=self.width, height=self.height)
        draw_page(page)
        page.figure.dpi = DPI * self.scale
        self.renderer.clear()  # type: ignore[no-untyped-call]
        page.figure.draw(self.renderer)
        return np.asarray(self.renderer.buffer_rgba())  # type: ignore[no-untyped-call]


@contextmanager
def new_artists(axes: Axes) -> Iterator[list[Artist]]:
    """A list that at the end of the block holds what was drawn on the axes inside it."""
    before = set(axes.get_children())
    made: list[Artist] = []
    yield made
    made += [artist for artist in axes.get_children() if artist not in before]


def _visible(state: Specification, numbers: Iterable[int]) -> list[tuple[int, Part]]:
    traces = ((number, state.traces[number]) for number in numbers)
    return [(number, trace) for number, trace in traces if trace.raw("visible") in (None, True)]


def _depth(artist: Artist) -> tuple[float, float]:
    """Figures draw their axes one after the other, each with all that it holds, and then what they hold themselves."""
    owner = artist.axes
    return (owner.get_zorder(), artist.get_zorder()) if owner is not None else (artist.get_zorder(), 0.0)


def _draw(artist: Artist, renderer: RendererAgg) -> None:
    project = getattr(artist, "do_3d_projection", None)
    if project is not None:
        project()
    artist.draw(renderer)
