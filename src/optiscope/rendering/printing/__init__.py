"""Prints plotly figures with matplotlib: faithful or not at all, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure


def figure_to_matplotlib(
    figure: go.Figure, *, width_px: float | None = None, height_px: float | None = None, frame: str | None = None
) -> Figure:
    """Draw a plotly figure as a matplotlib figure, part by part.

    Every trace type, attribute and layout part is drawn, or is known to change nothing on paper (such as hover
    texts), or raises: nothing is left out silently. NaN, None and infinite values are gaps, as in the browser.

    Args:
        figure: the plotly figure.
        width_px: width in CSS pixels (1/96 inch); the figure's own, or 700, when None.
        height_px: height in CSS pixels; the figure's own, or 500, when None.
        frame: "first" prints the initial state of a figure with frames, sliders or menus, which otherwise raises.

    Returns:
        A figure that belongs to no pyplot state, 96 dots an inch.

    Raises:
        CannotDraw: a part has no faithful rendering on paper; the message names it and the remedy.
        ArgumentError: a value in the figure cannot be read (a colour, a size, an unknown axis).
    """
    from optiscope.rendering.printing.draw import draw

    return draw(figure, width_px=width_px, height_px=height_px, frame=frame)
