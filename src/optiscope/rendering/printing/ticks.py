"""Where the ticks of an axis are, and what they say."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from optiscope.errors import CannotDraw
from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.number_format import AutomaticFormat, d3_number, power_of_ten
from optiscope.rendering.printing.part import Part

_DATE_DIRECTIVES = frozenset("aAbBdHIjmMpSUwWyYf%")


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick."""

    place: float
    """In axis units."""
    label: str
    """With plotly's small HTML; empty for a tick without a label."""
    scale: float = 1.0
    """Size of the label against the tick font; the 2 and the 5 between decades are small."""


def nice_step(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `rough`."""
    base = 10.0 ** math.floor(math.log10(rough))
    return next((factor * base for factor in (1.0, 2.0, 5.0) if rough <= factor * base * (1 + 1e-9)), 10.0 * base)


def multiples(step: float, low: float, high: float, *, origin: float = 0.0) -> list[float]:
    """Every `origin + k · step` within [low, high], with the rounding of the ends forgiven."""
    slack = 1e-6 * step
    first, last = math.ceil((low - origin - slack) / step), math.floor((high - origin + slack) / step)
    return [origin + step * index for index in range(first, min(last, first + 2000) + 1)]


def ticks_of(axis: Axis) -> list[Tick]:
    """The ticks of an axis within its range."""
    low, high = sorted(axis.range)
    places = axis.part.column("tickvals")
    if places is not None and axis.part.text("tickmode", "array") == "array":
        ticks = _listed(axis, places)
        return [tick for tick in ticks if low - 1e-9 * (high - low) <= tick.place <= high + 1e-9 * (high - low)]
    match axis.kind:
        case "log":
            return _logarithmic(axis, low, high)
        case "category":
            return _categories(axis, low, high)
        case "date":
            return _dates(axis, low, high)
        case _:
            return _linear(axis, low, high)


def number_ticks(part: Part, low: float, high: float, *, length: float, spacing: float) -> list[Tick]:
    """Ticks of a plain numeric scale (a colour bar, an axis of a 3-D scene) from its part alone."""
    places = part.column("tickvals")
    scale = Axis(name=part.name, part=part, kind="linear", range=(low, high), length=length)
    if places is not None and part.text("tickmode", "array") == "array":
        return [tick for tick in _listed(scale, places) if low - 1e-9 <= tick.place <= high + 1e-9]
    return _linear(scale, low, high, spacing=spacing)


def _count(axis: Axis, spacing: float | None = None) -> float:
    asked = axis.part.number("nticks", 0)
    if asked > 0:
        return asked
    pixels = spacing if spacing is not None else 40.0 if axis.letter == "y" else 80.0
    return min(max(axis.length / pixels, 4.0), 9.0) + 1.0


def _step(axis: Axis, wanted: object) -> float | None:
    """The distance that the figure asks for, or None when it is left open."""
    if wanted is None or (axis.part.text("tickmode", "linear") == "auto"):
        return None
    text = str(wanted)
    number = text[1:] if text[:1] == "L" and axis.kind == "log" else text
    try:
        step = float(number)
    except ValueError:
        raise CannotDraw(
            f"The {axis.part.name} has dtick {wanted!r}, which the printer (.png, .svg, .pdf) cannot draw on a "
            f"{axis.kind} axis. Give the places as tickvals, or save as .html instead."
        ) from None
    return step if step > 0 else None


def _linear(axis: Axis, low: float, high: float, *, spacing: float | None = None) -> list[Tick]:
    step = _step(axis, axis.part.raw("dtick"))
    if step is None:
        step = nice_step((high - low) / _count(axis, spacing))
    form = _number_form(axis.part, step, max(abs(low), abs(high)))
    origin = axis.part.number("tick0", 0.0)
    return [Tick(place, form(place)) for place in multiples(step, low, high, origin=origin)]


class _Decorated:
    """A number format with its prefix and suffix."""

    def __init__(self, part: Part, automatic: AutomaticFormat) -> None:
        self.part = part
        self.automatic = automatic
        self.form = part.text("tickformat")

    def __call__(self, value: float) -> str:
        text = d3_number(value, self.form, part=self.part.name) if self.form else self.automatic(value)
        return f"{self.part.text('tickprefix')}{text}{self.part.text('ticksuffix')}"


def _number_form(part: Part, step: float, largest: float) -> _Decorated:
    exponents = part.text("exponentformat", "B")
    if part.text("showexponent", "all") == "none":
        exponents = "none"
    elif part.text("showexponent", "all") != "all":
        raise CannotDraw(
            f"The {part.name} writes only some exponents, which the printer cannot do. Save as .html instead."
        )
    automatic = AutomaticFormat(
        step=step,
        largest=largest,
        exponent_format=exponents,
        smallest_exponent=part.number("minexponent", 3.0),
        separate_thousands=part.flag("separatethousands", default=False),
    )
    return _Decorated(part, automatic)


def _logarithmic(axis: Axis, low: float, high: float) -> list[Tick]:
    wanted = axis.part.raw("dtick")
    rough = (high - low) / _count(axis)
    form = axis.part.text("tickformat")
    if str(wanted) in ("D1", "D2"):
        digits = tuple(range(1, 10)) if wanted == "D1" else (1, 2, 5)
    elif str(wanted)[:1] == "L" or (wanted is None and rough <= 0.7 and high - low < 1):
        step = _step(axis, wanted) or nice_step((10**high - 10**low) / _count(axis))
        labels = _number_form(axis.part, step, 10**high)
        return [Tick(math.log10(place), labels(place)) for place in multiples(step, 10**low, 10**high) if place > 0]
    elif wanted is None and rough <= 0.7:
        digits = (1, 2, 5) if rough > 0.3 else tuple(range(1, 10))
    else:
        step = _step(axis, wanted) or float(math.ceil(rough))
        return [Tick(place, _decade(axis.part, place, form)) for place in multiples(step, low, high)]
    ticks = []
    for decade in range(math.floor(low), math.ceil(high) + 1):
        for digit in digits:
            place = decade + math.log10(digit)
            if low - 1e-9 <= place <= high + 1e-9:
                whole = digit == 1 or form
                label = _decade(axis.part, place, form) if whole else str(digit)
                ticks.append(Tick(place, label, 1.0 if whole else 0.75))
    return ticks


def _decade(part: Part, place: float, form: str) -> str:
    if form:
        text = d3_number(10.0**place, form, part=part.name)
    elif abs(place - round(place)) < 1e-9:
        text = power_of_ten(round(place), part.text("exponentformat", "B"))
    else:
        text = AutomaticFormat(step=10.0**place / 10, largest=10.0**place)(10.0**place)
    return f"{part.text('tickprefix')}{text}{part.text('ticksuffix')}"


def _categories(axis: Axis, low: float, high: float) -> list[Tick]:
    shown = [(place, str(name)) for name, place in axis.categories.items() if low <= place <= high]
    spacing = 80.0 if axis.letter == "x" else 14.0
    asked = axis.part.number("nticks", 0)
    room = asked if asked > 0 else axis.length / spacing if axis.letter == "y" else axis.length / 14.0
    wanted = axis.part.number_or_none("dtick")
    step = int(wanted) if wanted else max(1, math.ceil(len(shown) / max(room, 1.0)))
    prefix, suffix = axis.part.text("tickprefix"), axis.part.text("ticksuffix")
    return [Tick(float(place), f"{prefix}{name}{suffix}") for place, name in shown if place % step == 0]


def _listed(axis: Axis, places: Sequence[object] | np.ndarray) -> list[Tick]:
    units = axis.units(places)
    texts = axis.part.column("ticktext")
    if texts is not None:
        labels = [str(text) for text in texts]
    elif axis.kind == "log":
        labels = [
            _decade(axis.part, place, axis.part.text("tickformat")) if np.isfinite(place) else "" for place in units
        ]
    elif axis.kind == "date":
        labels = [_date_label(place, axis.part.text("tickformat") or "%Y-%m-%d") for place in units]
    elif axis.kind == "category":
        labels = [str(place) for place in places]
    else:
        finite = np.unique(units[np.isfinite(units)])
        step = (
            float(np.diff(finite).min())
            if finite.size > 1
            else abs(float(finite[0])) / 10 or 1.0
            if finite.size
            else 1.0
        )
        form = _number_form(axis.part, step, float(np.abs(finite).max()) if finite.size else 1.0)
        labels = [form(place) if np.isfinite(place) else "" for place in units]
    labels += [""] * (len(units) - len(labels))
    return [Tick(float(place), label) for place, label in zip(units, labels, strict=False) if np.isfinite(place)]


def _dates(axis: Axis, low: float, high: float) -> list[Tick]:
    from matplotlib.dates import AutoDateLocator, num2date

    if axis.part.raw("dtick") is not None:
        raise CannotDraw(
            f"The {axis.part.name} has a dtick between dates, which the printer (.png, .svg, .pdf) cannot draw. "
            "Give the places as tickvals, or save as .html instead."
        )
    count = int(_count(axis))
    locator = AutoDateLocator(minticks=max(3, count - 3), maxticks=count + 1)  # type: ignore[no-untyped-call]
    found = locator.tick_values(*num2date([low, high]))  # type: ignore[no-untyped-call]
    places = [float(place) for place in found if low <= place <= high]
    gap = min((after - before for before, after in pairwise(places)), default=high - low)
    form = axis.part.text("tickformat")
    if not form:
        form = (
            "%Y"
            if gap > 300
            else "%b %Y"
            if gap > 25
            else "%b %d"
            if gap >= 1
            else "%H:%M"
            if gap >= 1 / 1440
            else "%H:%M:%S"
        )
    return [Tick(place, _date_label(place, form)) for place in places]


def _date_label(place: float, form: str) -> str:
    unknown = set(re.findall(r"%[-_0]?(.)", form)) - _DATE_DIRECTIVES
    if unknown or re.search(r"%[-_0]", form):
        raise CannotDraw(
            f"The printer (.png, .svg, .pdf) cannot write dates as {form!r}. "
            f"It knows %{', %'.join(sorted(_DATE_DIRECTIVES))}; use these, or save as .html instead."
        )
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=round(place * 86_400_000) / 86_400_000)
    return moment.strftime(form)
