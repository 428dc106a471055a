"""Lines and markers: dashes, symbols and sizes from plotly's words to matplotlib's."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from matplotlib.markers import MarkerStyle

from optiscope.errors import UnknownName
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.text import POINTS_PER_PIXEL

LineStyle: TypeAlias = Literal["solid"] | tuple[float, tuple[float, ...]]

_DASHES = {
    "dot": (1.0, 1.0),
    "dash": (3.0, 3.0),
    "longdash": (5.0, 5.0),
    "dashdot": (3.0, 1.0, 1.0, 1.0),
    "longdashdot": (5.0, 2.0, 1.0, 2.0),
}
"""In multiples of max(width, 3) pixels."""

_SYMBOLS: dict[str, str | tuple[int, Literal[0, 1, 2], int]] = {
    "circle": "o", "square": "s", "diamond": "D", "cross": "P", "x": "X", "triangle-up": "^", "triangle-down": "v",
    "triangle-left": "<", "triangle-right": ">", "pentagon": "p", "hexagon": "h", "hexagon2": "H", "octagon": "8",
    "star": "*", "star-triangle-up": (3, 1, 0), "star-square": (4, 1, 45), "star-diamond": (4, 1, 0),
    "diamond-tall": "d", "line-ns": "|", "line-ew": "_", "cross-thin": "+", "x-thin": "x", "asterisk": (8, 2, 0),
}  # fmt: skip

_STROKED_ONLY = frozenset({"line-ns", "line-ew", "cross-thin", "x-thin", "asterisk"})


def line_style(part: Part, path: str = "line") -> LineStyle:
    """Matplotlib's line style of a `dash` of the given `width`."""
    dash = part.text(f"{path}.dash", "solid")
    if dash == "solid":
        return "solid"
    width = max(part.number(f"{path}.width", 2.0), 1e-3)
    if dash in _DASHES:
        unit = max(width, 3.0) / width
        return (0.0, tuple(length * unit for length in _DASHES[dash]))
    pieces = dash.replace("px", " ").replace("%", " ").replace(",", " ").split()
    try:
        lengths = tuple(float(piece) / width for piece in pieces)
    except ValueError:
        lengths = ()
    if not lengths or "%" in dash:
        raise UnknownName.among(dash, ["solid", *_DASHES, "5px,3px"], kind="line dash")
    return (0.0, lengths if len(lengths) % 2 == 0 else lengths * 2)


def marker_of(symbol: object) -> tuple[MarkerStyle, bool]:
    """Matplotlib's marker of a plotly symbol, and whether it is filled."""
    name = str(symbol)
    is_open = name.endswith("-open")
    name = name.removesuffix("-open")
    if name not in _SYMBOLS:
        raise UnknownName.among(
            symbol, [*_SYMBOLS, *(f"{known}-open" for known in _SYMBOLS)], kind="marker symbol that the printer knows"
        )
    return MarkerStyle(_SYMBOLS[name]), not is_open and name not in _STROKED_ONLY


def marker_diameters(part: Part, path: str, count: int, *, default: float = 6.0) -> np.ndarray:
    """Diameters of markers in points; `sizeref`, `sizemin` and `sizemode` are applied to an array of sizes."""
    sizes = part.column(f"{path}.size")
    if sizes is None:
        return np.full(count, part.number(f"{path}.size", default) * POINTS_PER_PIXEL)
    numbers = np.resize(np.nan_to_num(np.asarray(sizes, dtype=float)), count)
    reference = part.number(f"{path}.sizeref", 1.0)
    # Plotly takes half of the size as the radius; in area mode the size counts as the area.
    if part.text(f"{path}.sizemode", "diameter") == "area":
        radii = np.sqrt(np.maximum(numbers, 0.0) / 2.0 / reference)
    else:
        radii = numbers / 2.0 / reference
    least = part.number(f"{path}.sizemin", 0.0) / 2.0
    return 2.0 * np.maximum(radii, least) * POINTS_PER_PIXEL


def points(pixels: float) -> float:
    """CSS pixels as points of 1/72 inch."""
    return pixels * POINTS_PER_PIXEL if math.isfinite(pixels) else 0.0
