"""Linear, logarithmic and symmetric-logarithmic axes, and which of them a series asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from optiscope.errors import UnknownName
from optiscope.figures.wording import power_of_ten

ScaleName = Literal["auto", "linear", "log", "symlog"]

_WIDE = 100.0


@dataclass(frozen=True, kw_only=True)
class AxisScale:
    """How values become positions along an axis."""

    name: Literal["linear", "log", "symlog"]
    """Kind of scale."""
    threshold: float = 1.0
    """With "symlog", the magnitude below which the scale is nearly linear."""
    largest: float = 1.0
    """With "symlog", the largest magnitude that is drawn."""

    def positions(self, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """What plotly is to draw: the values themselves, except on a symmetric-logarithmic axis, which it lacks."""
        if self.name != "symlog":
            return values
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(np.sign(values) * np.log10(1.0 + np.abs(values) / self.threshold), dtype=np.float64)

    @property
    def suffix(self) -> str:
        """What the title of the axis says of the scale."""
        return {"linear": "", "log": " (log scale)", "symlog": " (symmetric log scale)"}[self.name]

    def axis(self) -> dict[str, Any]:
        """Properties of the plotly axis."""
        if self.name == "log":
            return {"type": "log", "dtick": None}
        if self.name == "linear":
            return {"type": "linear"}
        top = max(1, math.ceil(math.log10(self.largest / self.threshold)))
        stride = max(1, math.ceil(top / 4))
        exponents = range(stride, top + 1, stride)
        base = round(math.log10(self.threshold))
        sizes = [self.threshold * 10.0**exponent for exponent in exponents]
        heights = [float(height) for height in self.positions(np.array(sizes))]
        texts = [power_of_ten(base + exponent) for exponent in exponents]
        return {
            "type": "linear",
            "tickmode": "array",
            "tickvals": [*(-height for height in reversed(heights)), 0.0, *heights],
            "ticktext": [*("−" + text for text in reversed(texts)), "0", *texts],
        }


def choose_scale(asked: str, columns: Sequence[Float[np.ndarray, " rows"]]) -> AxisScale:
    """The scale that was asked for; with "auto" logarithmic when the values are positive and span two decades.

    Raises `UnknownName` for a scale that does not exist.
    """
    if asked not in get_args(ScaleName):
        raise UnknownName.among(asked, get_args(ScaleName), kind="scale")
    finite = [column[np.isfinite(column)] for column in columns]
    values = np.concatenate(finite) if finite else np.empty(0)
    if asked == "auto":
        positive = values[values > 0.0]
        # A few exact zeros (a layer whose gradient died for a step) do not make a norm a linear quantity.
        mostly = len(positive) > 0 and values.min() >= 0.0 and len(positive) >= 0.9 * len(values)
        wide = mostly and positive.max() / _WIDE >= positive.min()
        return AxisScale(name="log" if wide else "linear")
    if asked == "symlog":
        sizes = np.abs(values[values != 0.0])
        largest = float(sizes.max()) if len(sizes) else 1.0
        # The smallest magnitude would let one rounding error decide; a low quantile is the scale of small values.
        small = float(np.quantile(sizes, 0.02)) if len(sizes) else 1.0
        exponent = max(math.floor(math.log10(small)), math.floor(math.log10(largest)) - 8)
        return AxisScale(name="symlog", threshold=10.0**exponent, largest=largest)
    return AxisScale(name="log" if asked == "log" else "linear")


def headroom(scale: AxisScale, low: float, high: float) -> float:
    """A value just above `high` on the scale, where marks can stand without hiding the line."""
    if scale.name == "log" and low > 0.0:
        return float(high * max((high / low) ** 0.06, 1.15))
    span = high - low
    return high + (0.06 * span if span > 0.0 else max(abs(high), 1.0) * 0.1)


def few_ticks(low: float, high: float, most: int = 4) -> dict[str, Any]:
    """Ticks for a short logarithmic axis: powers of ten, or 1-2-5 steps when it spans less than two decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    tens = [10.0**exponent for exponent in range(first, last + 1) if low <= 10.0**exponent <= high]
    if len(tens) < 2:
        tens = [
            digit * 10.0**exponent
            for exponent in range(first, last + 1)
            for digit in (1, 2, 5)
            if low <= digit * 10.0**exponent <= high
        ]
        texts = [f"{value:g}" for value in tens]
    else:
        texts = [power_of_ten(round(math.log10(value))) for value in tens]
    stride = max(1, math.ceil(len(tens) / most))
    return {"tickmode": "array", "tickvals": tens[::-stride][::-1], "ticktext": texts[::-stride][::-1]}
