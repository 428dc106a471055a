"""Colours and colour scales, read and interpolated as plotly does it."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import plotly.colors
from jaxtyping import Float
from matplotlib.colors import CSS4_COLORS, Colormap, Normalize, to_rgba
from numpy.typing import ArrayLike, NDArray

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.part import Part

Rgba: TypeAlias = tuple[float, float, float, float]

_FUNCTION = re.compile(r"(rgb|rgba|hsl|hsla|hsv|hsva)\(([^()]*)\)")


def parse_colour(text: object) -> Rgba:
    """Red, green, blue and opacity in 0..1 of a CSS colour: a name, #rgb(a), #rrggbb(aa), rgb(a), hsl(a) or hsv(a)."""
    name = str(text).strip().lower().replace(" ", "")
    if name == "transparent":
        return (0.0, 0.0, 0.0, 0.0)
    if name in CSS4_COLORS or re.fullmatch(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", name):
        red, green, blue, alpha = to_rgba(CSS4_COLORS.get(name, name))
        return (red, green, blue, alpha)
    function = _FUNCTION.fullmatch(name)
    try:
        if function is not None:
            return _colour_function(function[1][:3], function[2].split(","))
    except (ValueError, IndexError):
        pass
    raise ArgumentError(f"A colour must be a CSS name, #rrggbb, rgb(...), hsl(...) or hsv(...). Received: {text!r}.")


def _colour_function(kind: str, parts: Sequence[str]) -> Rgba:
    def number(text: str, full: float) -> float:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text) / full
        return min(max(value, 0.0), 1.0)

    alpha = number(parts[3], 1.0) if len(parts) > 3 else 1.0
    if kind == "rgb":
        return (number(parts[0], 255.0), number(parts[1], 255.0), number(parts[2], 255.0), alpha)
    hue = (float(parts[0]) % 360.0) / 360.0
    second, third = number(parts[1], 100.0), number(parts[2], 100.0)
    if kind == "hsl":
        return (*colorsys.hls_to_rgb(hue, third, second), alpha)
    return (*colorsys.hsv_to_rgb(hue, second, third), alpha)


def with_opacity(colour: Rgba, opacity: float) -> Rgba:
    """The colour, its own opacity multiplied."""
    return (*colour[:3], colour[3] * opacity)


def readable_on(background: Float[np.ndarray, "4"]) -> str:
    """White or near black, whichever can be read on the background."""
    return "white" if float(background[:3] @ np.array([0.299, 0.587, 0.114])) < 0.55 else "#444444"


class ColourScale(Colormap):
    """A piecewise linear colour scale, interpolated exactly instead of through a table of 256 entries.

    Values outside 0..1 take the end colours; NaN is transparent, so that a gap shows the background.
    """

    def __init__(self, positions: Sequence[float], colours: Sequence[Rgba]) -> None:
        super().__init__("plotly", N=256)
        self.positions: NDArray[np.float64] = np.asarray(positions, dtype=float)
        self.colours: NDArray[np.float64] = np.asarray(colours, dtype=float)

    def __call__(  # type: ignore[override]
        self,
        X: ArrayLike,
        alpha: ArrayLike | None = None,
        bytes: bool = False,  # noqa: A002
    ) -> NDArray[np.generic] | tuple[float, ...]:
        """Colours of normalised values; the signature is matplotlib's."""
        masked = np.ma.getmaskarray(np.ma.asarray(X))
        values = np.where(masked, np.nan, np.ma.getdata(np.ma.asarray(X)).astype(float))
        channels = [np.interp(values, self.positions, self.colours[:, channel]) for channel in range(4)]
        rgba = np.stack(channels, axis=-1)
        if alpha is not None:
            rgba[..., 3] = np.broadcast_to(np.asarray(alpha, dtype=float), values.shape)
        rgba[np.isnan(values)] = 0.0
        if bytes:
            return (rgba * 255.0 + 0.5).astype(np.uint8)
        return rgba if rgba.ndim > 1 else tuple(float(channel) for channel in rgba)

    def _init(self) -> None:
        """Fill matplotlib's table, which legends and `__eq__` read."""
        table = np.asarray(self(np.linspace(0.0, 1.0, self.N)))
        self._lut = np.vstack([table, table[:1], table[-1:], np.zeros((1, 4))])
        self._isinit = True


def colour_scale(value: object, *, reverse: bool = False) -> ColourScale:
    """The scale of a plotly `colorscale`: a name, a list of colours, or a list of (position, colour)."""
    if isinstance(value, str):
        try:
            pairs = plotly.colors.get_colorscale(value)
        except Exception as problem:
            raise ArgumentError(f"{value!r} is not a colour scale that plotly knows. {problem}") from problem
    elif isinstance(value, Sequence) and value and isinstance(value[0], str):
        pairs = list(zip(np.linspace(0.0, 1.0, len(value)), value, strict=True))
    else:
        pairs = value
    if not isinstance(pairs, Sequence) or len(pairs) < 2:
        raise ArgumentError(f"A colour scale is a name, or a list of at least two colours. Received: {value!r}.")
    positions = [float(position) for position, _ in pairs]
    colours = [parse_colour(colour) for _, colour in pairs]
    if reverse:
        positions, colours = [1.0 - position for position in positions[::-1]], colours[::-1]
    return ColourScale(positions, colours)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourMapping:
    """How numbers become colours: a scale and the two numbers at its ends."""

    scale: ColourScale
    low: float
    high: float

    @property
    def norm(self) -> Normalize:
        """Matplotlib's name for the two ends."""
        return Normalize(self.low, self.high)

    def colours(self, values: Float[np.ndarray, ...]) -> Float[np.ndarray, "... 4"]:
        """Red, green, blue, opacity of each value; NaN is transparent."""
        width = (self.high - self.low) or 1.0
        return np.asarray(self.scale((values - self.low) / width))


def colour_mapping(values: Float[np.ndarray, ...], part: Part, layout: Part, *, letter: str) -> ColourMapping:
    """The mapping that a part with `{letter}min`, `{letter}max`, `{letter}mid`, `colorscale`, `reversescale` asks for.

    `letter` is "z" for heat maps and "c" for markers, surfaces and colour axes.
    """
    finite = values[np.isfinite(values)]
    seen = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low, high = part.number_or_none(f"{letter}min"), part.number_or_none(f"{letter}max")
    if part.flag(f"{letter}auto", default=low is None or high is None):
        low = high = None
    middle = part.number_or_none(f"{letter}mid")
    if middle is not None and low is None and high is None:
        reach = max(abs(seen[0] - middle), abs(seen[1] - middle))
        low, high = middle - reach, middle + reach
    low, high = seen[0] if low is None else low, seen[1] if high is None else high
    if low == high:
        low, high = low - 0.5, high + 0.5
    scale = part.raw("colorscale")
    if scale is None or part.flag("autocolorscale", default=False):
        scale = _default_scale(layout, low, high)
    return ColourMapping(
        scale=colour_scale(scale, reverse=part.flag("reversescale", default=False)), low=low, high=high
    )


def _default_scale(layout: Part, low: float, high: float) -> object:
    kind = "diverging" if low * high < 0 else "sequential" if low >= 0 else "sequentialminus"
    scales = layout.raw("colorscale")
    found = scales.get(kind) if isinstance(scales, Mapping) else None
    return found or {"diverging": "RdBu", "sequential": "Reds", "sequentialminus": "Blues"}[kind]
