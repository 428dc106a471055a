"""GIF: one palette for the whole film, and of each picture only what changed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import UInt8
from PIL import GifImagePlugin, Image

from optiscope.rendering.film.stage import Picture

_COLOURS = 255
"""The last of the 256 places says "as before"."""
_SAMPLE = 40_000
"""Pixels that the palette is made from: half of what stands still, half of what moves, which covers less."""

Rgb = UInt8[np.ndarray, "height width 3"]


class Gif:
    """A film that is being written."""

    def __init__(self, file: IO[bytes], palette: Image.Image, *, fps: float) -> None:
        self._file = file
        self._palette = palette
        self._fps = fps
        self._before: Rgb | None = None
        self._indices: UInt8[np.ndarray, "height width"] | None = None
        self._shown = 0
        self._begun = 0
        self._waiting: tuple[Image.Image, tuple[int, int]] | None = None

    def add(self, picture: Picture, times: int) -> None:
        """Show a picture for so many frames."""
        colours = np.ascontiguousarray(picture[..., :3])
        if self._before is None or self._indices is None:
            self._write_waiting()
            indices = np.asarray(Image.fromarray(colours).quantize(palette=self._palette, dither=Image.Dither.NONE))
            self._indices = indices.copy()
            self._waiting = (self._image(self._indices), (0, 0))
            self._before = colours
        else:
            changed = (colours != self._before).any(axis=2)
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            if len(rows):
                self._write_waiting()
                place = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
                part = Image.fromarray(np.ascontiguousarray(colours[place]))
                indices = np.asarray(part.quantize(palette=self._palette, dither=Image.Dither.NONE))
                same = indices == self._indices[place]
                self._indices[place] = indices
                seen = np.where(same, np.uint8(_COLOURS), indices)
                self._waiting = (self._image(seen), (int(columns[0]), int(rows[0])))
                self._before = colours
        self._shown += times

    def finish(self) -> None:
        """Write the last picture and the end of the file."""
        self._write_waiting()
        self._file.write(b";")

    def _image(self, indices: UInt8[np.ndarray, "height width"]) -> Image.Image:
        image = Image.fromarray(indices, mode="P")
        image.putpalette(self._palette.getpalette() or [])
        return image

    def _write_waiting(self) -> None:
        """A picture is written when it is known how long it is shown. GIF counts in hundredths of a second."""
        if self._waiting is None:
            return
        start, end = (round(100 * frame / self._fps) for frame in (self._begun, self._shown))
        image, offset = self._waiting
        for block in GifImagePlugin.getdata(
            image, offset, duration=10 * max(1, end - start), transparency=_COLOURS, disposal=1
        ):
            self._file.write(block)
        self._begun = self._shown
        self._waiting = None


@contextmanager
def gif(place: Path, sample: Sequence[Picture], *, fps: float) -> Iterator[Gif]:
    """Write a film that repeats for ever to `place`; the palette is made from the pictures of `sample`."""
    height, width = sample[0].shape[:2]
    palette = palette_of(sample)
    colours = bytes(palette.getpalette() or [])[: 3 * _COLOURS].ljust(768, b"\0")
    with place.open("wb") as file:
        file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + colours)
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        film = Gif(file, palette, fps=fps)
        yield film
        film.finish()


def palette_of(sample: Sequence[Picture]) -> Image.Image:
    """Colours for the whole film: half of them judged by the last picture, half by what changes between pictures."""
    last = sample[-1][..., :3]
    moved = [picture[..., :3][(picture != sample[0]).any(axis=2)] for picture in sample[1:]]
    parts = [last.reshape(-1, 3), np.concatenate(moved) if moved else np.empty((0, 3), np.uint8)]
    chosen = [part[np.linspace(0, len(part) - 1, _SAMPLE // 2).astype(int)] for part in parts if len(part)]
    pixels = np.concatenate(chosen)
    return Image.fromarray(pixels[None]).quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=1)
