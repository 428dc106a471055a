"""One cartesian axis: its kind, the numbers that it gives to data, and its range."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from numbers import Real

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from optiscope.errors import CannotDraw
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.vocabulary import Vocabulary, cannot_draw

VOCABULARY = Vocabulary.of(
    """
    anchor automargin autorange autotickangles categoryarray categoryorder color constrain constraintoward domain dtick
    exponentformat gridcolor griddash gridwidth linecolor linewidth matches minexponent mirror nticks overlaying
    position range rangemode scaleanchor scaleratio separatethousands showexponent showgrid showline showticklabels side
    tick0 tickangle tickcolor tickfont.* tickformat ticklen tickmode tickprefix ticks ticksuffix ticktext tickvals
    tickwidth title.font.* title.standoff title.text type visible zeroline zerolinecolor zerolinewidth
    autotypenumbers
    """,
    values={
        "rangeslider.visible": (False,),
        "showdividers": (False, True),
        "showtickprefix": ("all",),
        "showticksuffix": ("all",),
        "ticklabelmode": ("instant",),
        "ticklabelposition": ("outside",),
        "tickson": ("labels",),
        "ticklabelstep": (1,),
        "ticklabeloverflow": ("allow", "hide past div", "hide past domain"),
        "minor.showgrid": (False,),
        "minor.ticks": ("",),
        "zerolinelayer": ("below traces",),
        "layer": ("above traces", "below traces"),
    },
    harmless="""
    fixedrange calendar showspikes spikecolor spikedash spikemode spikesnap spikethickness separators
    rangeslider.thickness rangeslider.bgcolor rangeslider.yaxis unifiedhovertitle
    """,
)

_UNIT_MILLISECOND = 86_400_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """A place that the range must show, with room around it."""

    value: float
    """In axis units: the number itself, the exponent on a logarithmic axis, the index on a category axis."""
    room: float
    """Pixels between the place and the end of the axis."""


@dataclass(slots=True, kw_only=True, eq=False)
class Axis:
    """One axis while a figure is being printed."""

    name: str
    """As in the layout, such as "xaxis2"."""
    part: Part
    kind: str
    """"linear", "log", "category" or "date"."""
    categories: dict[object, int] = field(default_factory=dict)
    low_extremes: list[Extreme] = field(default_factory=list)
    high_extremes: list[Extreme] = field(default_factory=list)
    touches_zero: bool = False
    """Bars and filled areas start at zero, so the range must show it."""
    reversed_by_default: bool = False
    """Images count their rows downwards."""
    anchored_by_default: str = ""
    """Images tie the scale of their y axis to that of this axis."""
    grid_by_default: bool = True
    """Cells and images cover a grid, and where they have gaps it would be taken for data."""
    ticks_by_default: bool = False
    """Cells and images get tick marks outside, where a grid would lead the eye otherwise."""
    domain: tuple[float, float] = (0.0, 1.0)
    """The part of the plotting area that the axis spans."""
    range: tuple[float, float] = (0.0, 1.0)
    """In axis units; the first end is the left or bottom one."""
    length: float = 1.0
    """Length on paper, in pixels."""

    @property
    def letter(self) -> str:
        """The direction: "x" or "y"."""
        return self.name[0]

    @property
    def identifier(self) -> str:
        """What traces call the axis, such as "x2"."""
        return self.name.replace("axis", "")

    @property
    def shows_zero_line(self) -> bool:
        """Whether zero is ruled."""
        return self.kind == "linear" and self.part.flag("zeroline", default=self.grid_by_default)

    def units(self, values: Sequence[object] | NDArray[np.generic]) -> Float[np.ndarray, " values"]:
        """Data in axis units. What has no place there (None, text, NaN, infinity, log of 0) becomes NaN: a gap."""
        numbers = self._numbers(values)
        if self.kind == "log":
            with np.errstate(invalid="ignore", divide="ignore"):
                numbers = np.where(numbers > 0, np.log10(np.where(numbers > 0, numbers, 1.0)), np.nan)
        return numbers

    def coordinates(self, values: Sequence[object] | NDArray[np.generic]) -> Float[np.ndarray, " values"]:
        """Data as matplotlib wants it: axis units, but the plain positive number on a logarithmic axis."""
        numbers = self._numbers(values)
        return np.where(numbers > 0, numbers, np.nan) if self.kind == "log" else numbers

    def from_units(self, units: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
        """Axis units as matplotlib's coordinates."""
        return np.power(10.0, units) if self.kind == "log" else units

    def coordinate(self, unit: float) -> float:
        """One place in axis units as matplotlib's coordinate."""
        return 10.0**unit if self.kind == "log" else unit

    def _numbers(self, values: Sequence[object] | NDArray[np.generic]) -> Float[np.ndarray, " values"]:
        match self.kind:
            case "category":
                places = [self.categories.get(_category(value), math.nan) for value in _items(values)]
                return np.array(places, dtype=float)
            case "date":
                return np.array([_day(value) for value in _items(values)], dtype=float)
            case _:
                return finite_numbers(values)

    def unit(self, value: object) -> float:
        """One place named in the layout (range, annotation): exponents on a log axis, names on a category axis."""
        if self.kind == "date" and not isinstance(value, Real):
            return _day(value)
        if self.kind == "category" and _category(value) in self.categories:
            return float(self.categories[_category(value)])
        return float(finite_numbers([value])[0])

    def fraction(self, units: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
        """Axis units as a fraction of the axis, 0 at its first end and 1 at the second."""
        low, high = self.range
        return (units - low) / (high - low)

    def show(self, units: Float[np.ndarray, ...], *, room: float = 0.0, padded: bool = False) -> None:
        """Make the range reach over these places.

        Args:
            units: places in axis units; NaN is passed over.
            room: pixels to keep free around them, such as half a marker.
            padded: keep a further 5 % of the axis free at either end.
        """
        finite = units[np.isfinite(units)]
        if finite.size:
            pad = room + (0.05 * self.length if padded else 0.0)
            self.low_extremes.append(Extreme(value=float(finite.min()), room=pad))
            self.high_extremes.append(Extreme(value=float(finite.max()), room=pad))

    @property
    def is_reversed(self) -> bool:
        """Whether an automatic range runs from high to low."""
        asked = self.part.raw("autorange")
        return asked == "reversed" or (asked is None and self.reversed_by_default)


def set_range(axes: Sequence[Axis]) -> None:
    """Give one range to axes that match each other (often a single one)."""
    asked = [
        axis for axis in axes if axis.part.column("range") is not None and axis.part.raw("autorange") in (None, False)
    ]
    automatic = _automatic_range(axes)
    for axis in axes:
        axis.range = automatic[::-1] if axis.is_reversed else automatic
    if not asked:
        return
    limits = asked[0].part.column("range")
    assert limits is not None
    ends = [
        found if given is None else asked[0].unit(given) for given, found in zip(limits, asked[0].range, strict=True)
    ]
    for axis in axes:
        axis.range = (ends[0], ends[1])


def _automatic_range(axes: Sequence[Axis]) -> tuple[float, float]:
    first = axes[0]
    low = [extreme for axis in axes for extreme in axis.low_extremes]
    high = [extreme for axis in axes for extreme in axis.high_extremes]
    if not low:
        return (0.0, 1.0) if first.kind == "log" else (-1.0, 6.0 if first.letter == "x" else 4.0)
    mode = first.part.text("rangemode", "normal")
    from_zero = first.kind == "linear" and (mode in ("tozero", "nonnegative") or any(a.touches_zero for a in axes))
    if from_zero:
        if all(extreme.value >= 0 for extreme in low):
            low = [Extreme(value=0.0, room=0.0)]
        if all(extreme.value <= 0 for extreme in high):
            high = [Extreme(value=0.0, room=0.0)]
    # The tightest scale at which every pair of a low and a high place keeps its room.
    best_scale, best = 0.0, None
    for lower in low:
        for upper in high:
            span = upper.value - lower.value
            free = max(first.length - lower.room - upper.room, first.length / 10)
            if span > 0 and span / free > best_scale:
                best_scale, best = span / free, (lower, upper)
    if best is None:
        value = low[0].value
        return (value - 1.0, value + 1.0) if first.kind != "category" else (value - 0.5, value + 0.5)
    start, end = best[0].value - best_scale * best[0].room, best[1].value + best_scale * best[1].room
    return (max(start, 0.0) if mode == "nonnegative" and first.kind == "linear" else start, end)


def axis_kind(part: Part, columns: Iterable[Sequence[object] | NDArray[np.generic]], *, layout: Part) -> str:
    """The declared kind, or what the data look like: numbers, dates, or else categories."""
    declared = part.text("type", "-")
    if declared == "multicategory":
        raise cannot_draw(part.name, "type", declared, drawable=("linear", "log", "category", "date"))
    if declared != "-":
        return declared
    strict = part.text("autotypenumbers", layout.text("autotypenumbers", "convert types")) == "strict"
    for column in columns:
        if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
            return "linear"
        if isinstance(column, np.ndarray) and column.dtype.kind == "M":
            return "date"
        present = [value for value in _items(column) if value is not None]
        if not present:
            continue
        if any(isinstance(value, list | tuple | np.ndarray) for value in present):
            raise CannotDraw(
                f"The {part.name} has categories in several levels, which the printer (.png, .svg, .pdf) cannot draw. "
                "Save the figure as .html instead."
            )
        if all(isinstance(value, Real | np.generic) and not isinstance(value, np.str_ | str) for value in present):
            return "linear"
        if all(not math.isnan(_day(value)) for value in present):
            return "date"
        if not strict and all(math.isfinite(finite_numbers([value])[0]) for value in present):
            return "linear"
        return "category"
    return "linear"


def collect_categories(part: Part, columns: Iterable[Sequence[object] | NDArray[np.generic]]) -> dict[object, int]:
    """Every category with its place, in the order that the axis asks for."""
    declared = part.column("categoryarray")
    order = part.text("categoryorder", "trace" if declared is None else "array")
    seen = dict.fromkeys(_category(value) for column in columns for value in _items(column) if value is not None)
    names = list(seen)
    match order:
        case "trace":
            pass
        case "array":
            names = (
                list(dict.fromkeys([*(_category(value) for value in declared if value is not None), *names]))
                if declared is not None
                else names
            )
        case "category ascending" | "category descending":
            names.sort(key=str, reverse=order.endswith("descending"))
        case _:
            choices = ("trace", "array", "category ascending", "category descending")
            raise cannot_draw(part.name, "categoryorder", order, drawable=choices)
    return {name: place for place, name in enumerate(names)}


def finite_numbers(values: Sequence[object] | NDArray[np.generic]) -> Float[np.ndarray, ...]:
    """Numbers as floats. None, text that is no number, NaN and infinity become NaN, as plotly.js reads them."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        numbers = values.astype(float)
    else:
        shape = np.shape(np.array(values, dtype=object))
        numbers = np.array([_number(value) for value in np.array(values, dtype=object).ravel()]).reshape(shape)
    return np.where(np.isfinite(numbers), numbers, np.nan) if numbers.size else numbers.astype(float)


def _number(value: object) -> float:
    if value is None:
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def _items(values: Sequence[object] | NDArray[np.generic]) -> list[object]:
    return values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind != "M" else list(values)


def _category(value: object) -> object:
    """Plotly takes 1 and "1" for the same category."""
    number = float(value) if isinstance(value, Real) else None
    return str(value) if number is None else str(int(number)) if number.is_integer() else str(number)


def _day(value: object) -> float:
    """Days since 1970, or NaN for what is no date."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.replace(tzinfo=None)
    if isinstance(value, np.datetime64):
        return math.nan if np.isnat(value) else float(value.astype("M8[ms]").astype(np.int64)) / _UNIT_MILLISECOND
    if not isinstance(value, str | date):
        return math.nan
    if isinstance(value, str):
        value = value.strip().removesuffix("Z")
        if len(value) < 4 or not value[:4].isdigit() or (len(value) > 4 and value[4] != "-"):
            return math.nan
    try:
        moment = np.datetime64(value, "ms")  # type: ignore[call-overload, unused-ignore]
    except ValueError:
        return math.nan
    return math.nan if np.isnat(moment) else float(moment.astype(np.int64)) / _UNIT_MILLISECOND
