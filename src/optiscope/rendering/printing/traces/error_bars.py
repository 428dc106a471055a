"""Error bars of scatter and bar traces."""

from __future__ import annotations

import numpy as np

from optiscope.rendering.printing.axis import finite_numbers
from optiscope.rendering.printing.colours import Rgba, parse_colour
from optiscope.rendering.printing.page import Panel
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.strokes import points

_ATTRIBUTES = "array arrayminus color symmetric thickness type value valueminus visible width copy_ystyle"
ERROR_BARS = " ".join(f"error_{letter}.{name}" for letter in "xy" for name in _ATTRIBUTES.split())
"""The attributes that a trace with error bars adds to its vocabulary."""


def draw_error_bars(trace: Part, x: np.ndarray, y: np.ndarray, panel: Panel, *, colour: Rgba, depth: float) -> None:
    """Draw the error bars of a trace around its points, given in matplotlib's coordinates."""
    for letter in "xy":
        bars = trace.part(f"error_{letter}")
        centre = x if letter == "x" else y
        below, above = _lengths(bars, centre)
        if above is None or below is None or not bars.flag("visible", default=True):
            continue
        own = bars.raw("color")
        line = parse_colour(own) if own is not None else colour
        width = points(bars.number("thickness", 2.0))
        lengths = np.vstack([below, above])
        panel.axes.errorbar(
            x, y, fmt="none", ecolor=line, elinewidth=width, capthick=width, zorder=depth + 1e-7,
            capsize=points(bars.number("width", 4.0)), xerr=lengths if letter == "x" else None,
            yerr=lengths if letter == "y" else None,
        )  # fmt: skip
        axis = panel.x if letter == "x" else panel.y
        ends = np.concatenate([centre - below, centre + above])
        if axis.kind == "log":
            ends = np.log10(np.where(ends > 0, ends, np.nan))
        axis.show(ends, padded=True)


def _lengths(bars: Part, centre: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    array = bars.column("array")
    kind = bars.text("type", "data" if array is not None else "percent" if bars.properties.get("value") else "none")
    match kind:
        case "data" if array is not None:
            above = np.nan_to_num(np.resize(finite_numbers(array), len(centre)))
            minus = bars.column("arrayminus")
            if minus is None or bars.flag("symmetric", default=minus is None):
                return above, above
            return np.nan_to_num(np.resize(finite_numbers(minus), len(centre))), above
        case "percent" | "constant":
            up = bars.number("value", 10.0)
            down = up if bars.flag("symmetric", default=True) else bars.number("valueminus", up)
            unit = np.abs(centre) / 100 if kind == "percent" else np.ones(len(centre))
            return down * unit, up * unit
        case "sqrt":
            return np.sqrt(np.abs(centre)), np.sqrt(np.abs(centre))
        case _:
            return None, None
