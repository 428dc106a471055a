"""The title and subtitle of a figure."""

from __future__ import annotations

from matplotlib.artist import Artist

from optiscope.rendering.printing.page import Page
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import lettering

_UP = {"top": "top", "middle": "center", "bottom": "baseline"}


def draw_title(page: Page) -> list[Artist]:
    """Write title and subtitle into the top margin."""
    part = page.layout.part("title")
    if not part.properties and isinstance(page.layout.raw("title"), str):
        text = page.layout.text("title")
    else:
        text = part.text("text")
    if not text:
        return []
    x = part.number("x", 0.5)
    left, right = (page.margins.left, page.margins.right) if part.text("xref", "container") == "paper" else (0.0, 0.0)
    across = part.text("xanchor", "auto")
    if across == "auto":
        across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else "center"
    pads = {"left": part.number("pad.l", 0.0), "right": -part.number("pad.r", 0.0)}
    place_x = left + x * (page.width - left - right) + pads.get(across, 0.0)
    asked = part.number_or_none("y")
    anchor = part.text("yanchor", "auto")
    if asked is None:
        place_y, up = page.height - page.margins.top / 2, "center"
        if part.flag("automargin", default=False):
            place_y, up = page.height - 8.0 - part.number("pad.t", 0.0), "top"
    else:
        of_area = part.text("yref", "container") == "paper"
        base, span = (page.margins.bottom, page.area_size[1]) if of_area else (0.0, page.height)
        place_y = base + asked * span
        up = (
            _UP["top" if asked > 2 / 3 else "bottom" if asked < 1 / 3 else "middle"]
            if anchor == "auto"
            else _UP[anchor]
        )
        place_y += {"top": -part.number("pad.t", 0.0), "baseline": part.number("pad.b", 0.0)}.get(up, 0.0)
    font = page.font.of(part, scale=17 / 12)
    written = lettering(text, font, part="title")
    artist = page.figure.text(place_x / page.width, place_y / page.height, "", ha=across, va=up, linespacing=1.3)
    written.dress(artist)
    made: list[Artist] = [artist]
    artist.set_zorder(11.0)
    subtitle = part.text("subtitle.text")
    if subtitle:
        if up == "center":
            # Title and subtitle share the middle of the margin.
            artist.set_y((place_y + font.size * 0.6) / page.height)
        below = lettering(subtitle, page.font.of(part, "subtitle.font", scale=1.0), part="subtitle")
        second = page.figure.text(place_x / page.width, 0.0, "", ha=across, va="top", linespacing=1.3, zorder=11.0)
        below.dress(second)
        renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        bottom = artist.get_window_extent(renderer).y0
        second.set_y((bottom - points(6.0)) / page.height)
        made.append(second)
    return made
