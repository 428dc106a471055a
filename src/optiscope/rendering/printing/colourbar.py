"""Colour bars: the scale beside (or above) the plotting area, its ticks and its title."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from optiscope.rendering.printing.colours import parse_colour
from optiscope.rendering.printing.page import ColourBarRequest, Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import lettering
from optiscope.rendering.printing.ticks import number_ticks
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    """
    bgcolor bordercolor borderwidth dtick exponentformat len lenmode minexponent nticks orientation outlinecolor
    outlinewidth separatethousands showexponent showticklabels thickness thicknessmode tick0 tickcolor tickfont.*
    tickformat ticklen tickmode tickprefix ticks ticksuffix ticktext tickvals tickwidth title.text title.font.*
    title.side x xanchor xpad y yanchor ypad
    """,
    values={
        "xref": ("paper",),
        "yref": ("paper",),
        "tickangle": (0, 0.0, "auto"),
        "showtickprefix": ("all",),
        "showticksuffix": ("all",),
        "ticklabelposition": ("outside",),
        "ticklabelstep": (1,),
    },
    harmless="ticklabeloverflow",
)

_SHIFT = {"left": 0.0, "center": 0.5, "right": 1.0, "bottom": 0.0, "middle": 0.5, "top": 1.0}


def draw_colour_bar(request: ColourBarRequest, page: Page) -> tuple[Axes, list[Artist]]:
    """Draw a colour bar. Its place is set by `place_colour_bar`."""
    part, mapping = request.part, request.mapping
    VOCABULARY.check(part.properties, part=part.name)
    axes = page.figure.add_axes((0.0, 0.0, 0.1, 0.1), label="colour bar")
    axes.set_autoscale_on(False)
    horizontal = part.text("orientation", "v") == "h"
    if request.levels:
        edges = np.array(request.levels)
        middles = np.concatenate([[mapping.low], (edges[1:] + edges[:-1]) / 2, [mapping.high]])
        edges = np.concatenate([[mapping.low], edges, [mapping.high]])
    else:
        edges = np.linspace(mapping.low, mapping.high, 257)
        middles = (edges[1:] + edges[:-1]) / 2
    across = np.array([0.0, 1.0])
    shape = (edges, across, middles[None, :]) if horizontal else (across, edges, middles[:, None])
    axes.pcolormesh(*shape, cmap=mapping.scale, norm=mapping.norm, shading="flat", rasterized=not request.levels)
    (axes.set_xlim if horizontal else axes.set_ylim)(mapping.low, mapping.high)
    (axes.set_ylim if horizontal else axes.set_xlim)(0.0, 1.0)
    for spine in axes.spines.values():
        spine.set_linewidth(points(part.number("outlinewidth", 1.0)))
        spine.set_edgecolor(parse_colour(part.text("outlinecolor", "#444")))
        spine.set_visible(part.number("outlinewidth", 1.0) > 0)
    _write_ticks(part, axes, request, horizontal, page)
    decorations: list[Artist] = [axes]
    if part.raw("bgcolor") is not None or part.number("borderwidth", 0.0) > 0:
        back = Rectangle((-0.4, -0.03), 3.2, 1.06, transform=axes.transAxes, clip_on=False, zorder=-1)
        back.set_facecolor(parse_colour(part.text("bgcolor", "transparent")))
        back.set_edgecolor(parse_colour(part.text("bordercolor", "#444")))
        back.set_linewidth(points(part.number("borderwidth", 0.0)))
        axes.add_patch(back)
    return axes, decorations


def _write_ticks(part: Part, axes: Axes, request: ColourBarRequest, horizontal: bool, page: Page) -> None:
    own, other = (axes.xaxis, axes.yaxis) if horizontal else (axes.yaxis, axes.xaxis)
    other.set_major_locator(NullLocator())
    mapping = request.mapping
    length = _length(part, page)
    ticks = number_ticks(part, mapping.low, mapping.high, length=length, spacing=80.0 if horizontal else 40.0)
    font = page.font.of(part, "tickfont")
    labelled = part.flag("showticklabels", default=True)
    side = "bottom" if horizontal else "right"
    own.set_ticks_position(side)  # type: ignore[arg-type]
    own.set_ticks([tick.place for tick in ticks])
    own.set_minor_locator(NullLocator())
    own.set_ticklabels([lettering(tick.label, font, part=part.name).text if labelled else "" for tick in ticks])
    marks = part.text("ticks")
    direction = "in" if marks == "inside" else "out"
    own.set_tick_params(
        length=points(part.number("ticklen", 5.0)) if marks else 0.0, width=points(part.number("tickwidth", 1.0)),
        direction=direction, color=parse_colour(part.text("tickcolor", "#444")), pad=points(3),
    )  # fmt: skip
    for tick, drawn in zip(ticks, own.get_major_ticks(), strict=False):
        if labelled:
            lettering(tick.label, font, part=part.name).dress(drawn.label1 if horizontal else drawn.label2)
    if part.text("title.text"):
        title = lettering(part.text("title.text"), page.font.of(part, "title.font"), part=f"title of the {part.name}")
        where = part.text("title.side", "top")
        if where == "right":
            renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
            widths = [drawn.label2.get_window_extent(renderer).width for drawn in own.get_major_ticks()]
            gap = max(widths, default=0.0) + 18.0
            place, turn, align = (1.0 + gap / part.number("thickness", 30.0), 0.5), 90.0, ("left", "center")
        elif where == "bottom":
            place, turn, align = (0.0, -0.12 if not horizontal else -1.6), 0.0, ("left", "top")
        else:
            gap = 6.0 / (part.number("thickness", 30.0) if horizontal else length)
            place, turn, align = (0.0, 1.0 + gap), 0.0, ("left", "bottom")
        label = axes.text(*place, "", transform=axes.transAxes, rotation=turn, ha=align[0], va=align[1])
        title.dress(label)


def _length(part: Part, page: Page) -> float:
    """Pixels along the scale."""
    wide, high = page.area_size
    full = wide if part.text("orientation", "v") == "h" else high
    asked = part.number("len", 1.0)
    pad = part.number("xpad" if part.text("orientation", "v") == "h" else "ypad", 10.0)
    return max((asked if part.text("lenmode", "fraction") == "pixels" else asked * full) - 2 * pad, 10.0)


def place_colour_bar(request: ColourBarRequest, axes: Axes, page: Page) -> None:
    """Put a colour bar where the figure wants it, now that the margins are known."""
    part = request.part
    wide, high = page.area_size
    horizontal = part.text("orientation", "v") == "h"
    along = _length(part, page)
    across = part.number("thickness", 30.0)
    if part.text("thicknessmode", "pixels") == "fraction":
        across *= high if horizontal else wide
    x, y = part.number("x", 0.5 if horizontal else 1.02), part.number("y", 1.02 if horizontal else 0.5)
    anchor_x = part.text("xanchor", "center" if horizontal else "left")
    anchor_y = part.text("yanchor", "bottom" if horizontal else "middle")
    size = (along, across) if horizontal else (across, along)
    # The title takes its room from the end of the bar, so that bar and title together have the asked length.
    writing = 0.0
    if part.text("title.text") and part.text("title.side", "top") == "top" and not horizontal:
        lines = part.text("title.text").count("<br>") + 1
        writing = min(6.0 + 1.3 * lines * page.font.of(part, "title.font").size, along / 2)
    pad_x, pad_y = part.number("xpad", 10.0), part.number("ypad", 10.0)
    shift_x, shift_y = _SHIFT[anchor_x], _SHIFT[anchor_y]
    left = page.margins.left + x * wide - shift_x * size[0] + (1 - 2 * shift_x) * (0.0 if horizontal else pad_x)
    bottom = page.margins.bottom + y * high - shift_y * size[1] + (1 - 2 * shift_y) * (pad_y if not horizontal else 0.0)
    axes.set_position(
        (left / page.width, bottom / page.height, size[0] / page.width, (size[1] - writing) / page.height)
    )
