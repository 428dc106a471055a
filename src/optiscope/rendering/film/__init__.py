"""Films of moving figures: the figure's frames, drawn by the printer, as MP4 or GIF. No browser is needed."""

from __future__ import annotations

from optiscope.rendering.film.film import Film, make_film

__all__ = ["Film", "make_film"]
