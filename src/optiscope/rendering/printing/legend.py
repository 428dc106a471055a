"""Legends: which traces they list, in which order, and where they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.legend import Legend
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import blended_transform_factory

from optiscope.rendering.printing.colours import parse_colour
from optiscope.rendering.printing.page import LegendEntry, Page
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import points
from optiscope.rendering.printing.text import Font, Lettering, lettering
from optiscope.rendering.printing.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(
    """
    bgcolor bordercolor borderwidth font.* grouptitlefont.* orientation title.text title.font.* traceorder tracegroupgap
    x xanchor xref y yanchor yref visible
    """,
    values={"itemsizing": ("trace", "constant"), "xref": ("paper", "container"), "yref": ("paper", "container")},
    # How far entries stand apart is matplotlib's business, and a printed legend never scrolls.
    harmless="""
    itemclick itemdoubleclick groupclick itemwidth entrywidth entrywidthmode indentation maxheight valign title.side
    """,
)

_ANCHORS = {"left": "left", "center": "center", "right": "right", "top": "upper", "middle": "center", "bottom": "lower"}


def draw_legends(page: Page) -> list[Artist]:
    """Draw every legend that the figure shows."""
    layout = page.layout
    explicit = any(entry.trace.raw("showlegend") is True for entry in page.legend_entries)
    listed = [entry for entry in page.legend_entries if entry.trace.flag("showlegend", default=True)]
    if not layout.flag("showlegend", default=explicit or len(listed) > 1):
        return []
    made: list[Artist] = []
    for name in dict.fromkeys(entry.trace.text("legend", "legend") for entry in listed):
        part = page.specification.numbered("legend", name)
        VOCABULARY.check(part.properties, part=part.name)
        own = [entry for entry in listed if entry.trace.text("legend", "legend") == name]
        if own and part.flag("visible", default=True):
            made.append(_draw(part, own, page))
    return made


def _draw(part: Part, entries: list[LegendEntry], page: Page) -> Legend:
    font = page.font.of(part)
    handles, labels = _lines(part, entries, font, page)
    horizontal = part.text("orientation", "v") == "h"
    x = part.number("x", 0.0 if horizontal else 1.02)
    y = part.number("y", -0.1 if horizontal else 1.0)
    horizontally = _anchor(part.text("xanchor", "left"), x, ("left", "center", "right"))
    vertically = _anchor(
        part.text("yanchor", "auto" if not horizontal else "top" if y < 1 else "bottom"), y, ("bottom", "middle", "top")
    )
    place = f"{_ANCHORS[vertically]} {horizontally}".replace("center center", "center")
    columns = _columns(part, labels, horizontal, page)
    sheet, area = page.figure.transFigure, page.area_transform()
    frame = blended_transform_factory(
        sheet if part.text("xref", "paper") == "container" else area,
        sheet if part.text("yref", "paper") == "container" else area,
    )
    size = points(font.size)
    legend = Legend(
        page.figure, handles, [text.text for text in labels], loc=place,  # type: ignore[arg-type]
        bbox_to_anchor=(x, y), bbox_transform=frame,
        ncols=columns, borderaxespad=0.0, frameon=True, fancybox=False, handlelength=points(30) / size,
        handletextpad=points(5) / size, labelspacing=0.45, columnspacing=1.2, borderpad=0.3, fontsize=size,
        title=part.text("title.text") or None, alignment="left", markerscale=1.0,
    )  # fmt: skip
    legend.get_frame().set_facecolor(parse_colour(part.text("bgcolor")) if part.raw("bgcolor") else page.paper)
    legend.get_frame().set_edgecolor(parse_colour(part.text("bordercolor", "#444")))
    legend.get_frame().set_linewidth(points(part.number("borderwidth", 0.0)))
    legend.get_frame().set_alpha(None)
    for text, drawn in zip(labels, legend.get_texts(), strict=True):
        text.dress(drawn)
    if part.text("title.text"):
        title = lettering(part.text("title.text"), font.of(part, "title.font", scale=1.1), part=part.name)
        title.dress(legend.get_title())
    legend.set_zorder(10.0)
    page.figure.add_artist(legend)
    return legend


def _lines(part: Part, entries: list[LegendEntry], font: Font, page: Page) -> tuple[list[Artist], list[Lettering]]:
    """Miniatures and names, in the order of the legend, group titles in between."""
    order = part.text("traceorder", "reversed" if _lies_upside_down(page) else "normal")
    grouped: dict[str, list[LegendEntry]] = {}
    ranked = sorted(entries, key=lambda entry: entry.trace.number("legendrank", 1000.0))
    for entry in ranked:
        named = entry.trace.text("legendgroup")
        grouped.setdefault(named or f"alone {entry.number}", []).append(entry)
    groups = list(grouped.values())
    if "reversed" in order:
        groups = [group[::-1] for group in groups[::-1]]
    handles: list[Artist] = []
    labels: list[Lettering] = []
    for group in groups:
        title = next((e.trace for e in group if e.trace.raw("legendgrouptitle.text")), None)
        if title is not None:
            heading = font.of(part, "grouptitlefont").of(title, "legendgrouptitle.font", scale=1.1)
            handles.append(Patch(facecolor="none", edgecolor="none"))
            labels.append(lettering(title.text("legendgrouptitle.text"), heading, part=title.name))
        for entry in group:
            name = entry.trace.text("name", f"trace {entry.number}")
            handles.append(entry.handle)
            labels.append(lettering(name, font, part=entry.trace.name))
    return handles, labels


def _lies_upside_down(page: Page) -> bool:
    """Plotly lists from the top what is stacked from the bottom."""
    stacked = page.layout.text("barmode") == "stack"
    return any(
        trace.text("fill") in ("tonexty", "tonextx") or (stacked and trace.text("type") in ("bar", "histogram"))
        for trace in page.specification.traces
    )


def _anchor(asked: str, place: float, choices: Sequence[str]) -> str:
    if asked != "auto":
        return asked
    return choices[0] if place < 1 / 3 else choices[2] if place > 2 / 3 else choices[1]


def _columns(part: Part, labels: list[Lettering], horizontal: bool, page: Page) -> int:
    """As many columns as fit beside each other when horizontal; as many as the height demands when vertical."""
    line = labels[0].font.size * 1.45 if labels else 20.0
    if not horizontal:
        rows = max(1, int((page.height - 40.0) / line))
        return max(1, math.ceil(len(labels) / rows))
    renderer = page.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    widest = 1.0
    for label in labels:
        probe = label.dress(Text(0, 0, ""))
        probe.set_figure(page.figure)
        widest = max(widest, probe.get_window_extent(renderer).width)
    return max(1, min(len(labels), int(page.area_size[0] / (widest + 35.0 + 1.2 * line))))
