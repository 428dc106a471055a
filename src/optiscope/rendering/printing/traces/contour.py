"""Contours: filled bands, lines, or a smooth colouring between grid points."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from matplotlib.patches import Patch

from optiscope.rendering.printing.colours import ColourMapping, ColourScale, parse_colour, with_opacity
from optiscope.rendering.printing.number_format import AutomaticFormat, d3_number
from optiscope.rendering.printing.page import ColourBarRequest, LegendEntry, Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import line_style, points
from optiscope.rendering.printing.ticks import multiples, nice_step
from optiscope.rendering.printing.traces.heatmap import GRID_ATTRIBUTES, borders, columns, draw_cells, grid
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    f"""
    {GRID_ATTRIBUTES} autocontour ncontours line.color line.width line.dash name
    contours.start contours.end contours.size contours.showlines contours.showlabels contours.labelfont.*
    contours.labelformat showlegend legendgroup legendrank legend legendgrouptitle.*
    """,
    values={
        "contours.type": ("levels",),
        "contours.coloring": ("fill", "heatmap", "lines", "none"),
        "connectgaps": (False,),
        "xtype": ("array", "scaled"),
        "ytype": ("array", "scaled"),
    },
    harmless="line.smoothing hoverongaps",
)


def levels_of(trace: Part, mapping: ColourMapping) -> np.ndarray:
    """The heights of the contour lines: as asked, or about fifteen round ones."""
    size = trace.number("contours.size", 0.0)
    start, end = trace.number_or_none("contours.start"), trace.number_or_none("contours.end")
    asked = start is not None and end is not None
    if trace.flag("autocontour", default=not asked) or start is None or end is None:
        size = nice_step((mapping.high - mapping.low) / trace.number("ncontours", 15.0))
        inside = multiples(size, mapping.low, mapping.high)
        return np.array(
            [level for level in inside if mapping.low < level < mapping.high] or [(mapping.low + mapping.high) / 2]
        )
    if size <= 0:
        size = nice_step((end - start) / trace.number("ncontours", 15.0)) if end > start else 1.0
    count = math.floor((end + size / 1e6 - start) / size) + 1
    return start + size * np.arange(count)


def band_scale(levels: np.ndarray, mapping: ColourMapping, *, given_range: bool) -> ColourMapping:
    """The colour scale stretched so that its ends are the middles of the outermost bands, as plotly colours contours.

    When the figure fixes `zmin` and `zmax` and the levels reach beyond them, the scale spans just the levels.
    """
    size = float(levels[1] - levels[0]) if len(levels) > 1 else 1.0
    low, high = float(levels[0]) - size / 2, float(levels[-1]) + size / 2
    if given_range and (levels[0] <= mapping.low or levels[-1] >= mapping.high):
        low = mapping.low if levels[0] <= mapping.low else float(levels[0])
        high = mapping.high if levels[-1] >= mapping.high else float(levels[-1])
    return ColourMapping(scale=mapping.scale, low=low, high=high)


def draw(trace: Part, number: int, panel: Panel, page: Page) -> None:
    """Draw one contour trace."""
    z = grid(trace)
    raw_x, raw_y = columns(trace)
    unit_x, unit_y = panel.x.units(raw_x), panel.y.units(raw_y)
    waiting = len(page.colour_bars)
    mapping = page.mapping(trace, z, letter="z")
    levels = levels_of(trace, mapping)
    given = trace.raw("zmin") is not None and trace.raw("zmax") is not None
    bands = band_scale(levels, mapping, given_range=given)
    coloring = trace.text("contours.coloring", "fill")
    if coloring == "heatmap" and trace.raw("zmin") is None and trace.raw("contours.start") is not None:
        mapping = band_scale(levels, mapping, given_range=False)
        if len(page.colour_bars) > waiting:
            page.colour_bars[-1] = replace(page.colour_bars[-1], mapping=mapping)
    opacity = trace.number("opacity", 1.0)
    depth = 1.2 + 1e-3 * trace.number("zorder", 0) + 1e-6 * number
    x, y = panel.x.from_units(unit_x), panel.y.from_units(unit_y)
    masked = np.ma.masked_invalid(z)
    _colour_bar(page, waiting, coloring, levels, bands, mapping)
    if coloring == "fill":
        size = float(levels[1] - levels[0]) if len(levels) > 1 else 1.0
        middles = np.concatenate([levels - size / 2, levels[-1:] + size / 2])
        colours = bands.colours(middles)
        colours[:, 3] *= opacity
        panel.axes.contourf(
            x, y, masked, levels=levels, colors=[tuple(c) for c in colours], extend="both", zorder=depth
        )
    elif coloring == "heatmap":
        if np.isfinite(z).all():
            panel.axes.pcolormesh(
                x, y, masked, cmap=mapping.scale, norm=mapping.norm, shading="gouraud", zorder=depth, rasterized=True,
                alpha=None if opacity == 1.0 else opacity,
            )  # fmt: skip
        else:
            cells_x = borders(panel.x, raw_x, z.shape[1], part=trace.name)
            cells_y = borders(panel.y, raw_y, z.shape[0], part=trace.name)
            draw_cells(cells_x, cells_y, z, mapping, panel, opacity=opacity, depth=depth)
    if trace.flag("contours.showlines", default=True) or coloring in ("lines", "none"):
        _lines(trace, x, y, masked, levels, bands, coloring, panel, page, depth)
    panel.x.show(unit_x)
    panel.y.show(unit_y)
    if trace.flag("showlegend", default=False):
        swatch = Patch(facecolor=with_opacity(parse_colour("#888"), opacity))
        page.legend_entries.append(LegendEntry(trace=trace, number=number, handle=swatch))


def _colour_bar(
    page: Page, waiting: int, coloring: str, levels: np.ndarray, bands: ColourMapping, mapping: ColourMapping
) -> None:
    """Let the bar that was asked for show the bands instead of the smooth scale."""
    if len(page.colour_bars) == waiting or coloring not in ("fill", "lines"):
        return
    size = float(levels[1] - levels[0]) if len(levels) > 1 else 1.0
    low, high = min(bands.low, levels[0] - size / 2), max(bands.high, levels[-1] + size / 2)
    steps = _Stepped(levels, bands)
    page.colour_bars[-1] = ColourBarRequest(
        part=page.colour_bars[-1].part,
        mapping=ColourMapping(scale=steps.over(low, high), low=low, high=high),
        levels=tuple(float(level) for level in levels),
    )


class _Stepped:
    """The bands of a filled contour as a colour scale with steps."""

    def __init__(self, levels: np.ndarray, bands: ColourMapping) -> None:
        size = float(levels[1] - levels[0]) if len(levels) > 1 else 1.0
        self.levels = levels
        self.colours = bands.colours(np.concatenate([levels - size / 2, levels[-1:] + size / 2]))

    def over(self, low: float, high: float) -> ColourScale:
        """The scale on [low, high]."""
        inner = np.repeat((self.levels - low) / (high - low), 2)
        positions = np.concatenate([[0.0], inner, [1.0]])
        colours = np.repeat(self.colours, 2, axis=0)
        return ColourScale(positions.tolist(), [tuple(colour) for colour in colours])


def _lines(
    trace: Part, x: np.ndarray, y: np.ndarray, z: np.ma.MaskedArray, levels: np.ndarray, bands: ColourMapping,
    coloring: str, panel: Panel, page: Page, depth: float,
) -> None:  # fmt: skip
    opacity = trace.number("opacity", 1.0)
    if coloring == "lines" or (coloring == "none" and trace.raw("line.color") is None):
        colours = [with_opacity(tuple(colour), opacity) for colour in bands.colours(levels)]
    else:
        colours = [with_opacity(parse_colour(trace.text("line.color", "#000")), opacity)] * len(levels)
    width = points(trace.number("line.width", 0.5))
    if width <= 0 or not ((z.min() <= levels) & (levels <= z.max())).any():
        return
    drawn = panel.axes.contour(
        x, y, z, levels=levels, colors=colours, linewidths=width, linestyles=[line_style(trace)], zorder=depth + 1e-7
    )  # fmt: skip
    if trace.flag("contours.showlabels", default=False):
        form = trace.text("contours.labelformat")
        size = float(levels[1] - levels[0]) if len(levels) > 1 else 1.0
        plain = AutomaticFormat(step=size, largest=float(np.abs(levels).max()), exponent_format="none")
        font = page.font.of(trace, "contours.labelfont")
        panel.axes.clabel(
            drawn, fontsize=points(font.size), inline=True,
            fmt={level: d3_number(level, form, part=trace.name) if form else plain(level) for level in drawn.levels},
        )  # fmt: skip
