"""The trace types that can be printed: for each its vocabulary, its data and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from optiscope.rendering.printing.axis import finite_numbers
from optiscope.rendering.printing.page import Page, Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.traces import bars, contour, heatmap, image, lines, path3d, surface
from optiscope.rendering.printing.vocabulary import Vocabulary

Column: TypeAlias = Sequence[object] | np.ndarray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CartesianKind:
    """A trace type that lies on a pair of axes."""

    vocabulary: Vocabulary
    columns: Callable[[Part], tuple[Column, Column]]
    """The data along x and y that decide what kind of axis it is; None where there is none."""


CARTESIAN_KINDS: Mapping[str, CartesianKind] = {
    "scatter": CartesianKind(vocabulary=lines.VOCABULARY, columns=lines.columns),
    "scattergl": CartesianKind(vocabulary=lines.VOCABULARY, columns=lines.columns),
    "heatmap": CartesianKind(vocabulary=heatmap.VOCABULARY, columns=heatmap.columns),
    "contour": CartesianKind(vocabulary=contour.VOCABULARY, columns=heatmap.columns),
    "bar": CartesianKind(vocabulary=bars.BAR, columns=bars.columns),
    "histogram": CartesianKind(vocabulary=bars.HISTOGRAM, columns=bars.columns),
    "image": CartesianKind(vocabulary=image.VOCABULARY, columns=image.columns),
}

SCENE_KINDS: Mapping[str, Vocabulary] = {"surface": surface.VOCABULARY, "scatter3d": path3d.VOCABULARY}


def draw_panel(traces: Sequence[tuple[int, Part]], panel: Panel, page: Page) -> None:
    """Draw the traces of one panel, each given with its place in the figure."""
    present = [(number, trace) for number, trace in traces if trace.raw("visible") != "legendonly"]
    scatter = lines.LineDrawer()
    for number, trace in present:
        match trace.text("type", "scatter"):
            case "scatter" | "scattergl":
                scatter.draw(trace, number, panel, page)
            case "heatmap":
                heatmap.draw(trace, number, panel, page)
            case "contour":
                contour.draw(trace, number, panel, page)
            case "image":
                image.draw(trace, number, panel, page)
    bars.draw([(n, t) for n, t in present if t.text("type") in ("bar", "histogram")], panel, page)
    if any(trace.text("type") in ("heatmap", "image") for _, trace in present):
        for axis in (panel.x, panel.y):
            axis.grid_by_default = False
            axis.ticks_by_default = True


def coloured_values(trace: Part) -> list[tuple[str, np.ndarray]]:
    """The colour axes that a trace uses, each with the numbers that it colours by it."""
    found: list[tuple[str, np.ndarray]] = []
    for path in ("", "marker.", "line."):
        name = trace.text(f"{path}coloraxis")
        if not name:
            continue
        if path:
            values = trace.column(f"{path}color")
        else:
            painted = trace.column("surfacecolor")
            values = painted if painted is not None else heatmap.grid(trace)
        if values is not None:
            found.append((name, finite_numbers(values)))
    return found
