"""Histograms: from values to bins, by plotly's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.ticks import nice_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Bins of equal width, in axis units; a value on a border belongs to the bin above."""

    start: float
    size: float
    count: int


def shared_bins(traces: Sequence[Part], axis: Axis, *, together: bool) -> dict[int, Bins]:
    """The bins of each histogram by the identity of its trace; histograms side by side share theirs."""
    histograms = [trace for trace in traces if trace.text("type") == "histogram"]
    values = {id(trace): _values(trace, axis) for trace in histograms}
    joint = np.concatenate([*values.values(), np.empty(0)])
    leader = next(
        (trace for trace in histograms if trace.raw(f"{axis.letter}bins") or trace.raw(f"nbins{axis.letter}")), None
    )
    return {
        id(trace): _bins(leader or trace, axis, joint) if together else _bins(trace, axis, values[id(trace)])
        for trace in histograms
    }


def binned(trace: Part, axis: Axis, bins: Bins) -> tuple[np.ndarray, np.ndarray, float]:
    """Middles of the bins, the bars' lengths, and the width of a bin; empty bins at either end are left out."""
    values = _values(trace, axis)
    places = np.floor((values - bins.start) / bins.size + 1e-9).astype(int)
    inside = places[(places >= 0) & (places < bins.count)]
    counts = np.bincount(inside, minlength=bins.count).astype(float)
    match trace.text("histnorm"):
        case "percent":
            heights = counts * 100.0 / max(counts.sum(), 1.0)
        case "probability":
            heights = counts / max(counts.sum(), 1.0)
        case "density":
            heights = counts / bins.size
        case "probability density":
            heights = counts / bins.size / max(counts.sum(), 1.0)
        case _:
            heights = counts
    filled = np.flatnonzero(counts)
    keep = slice(int(filled[0]), int(filled[-1]) + 1) if filled.size else slice(0, 0)
    middles = bins.start + bins.size * (np.arange(bins.count) + 0.5)
    return middles[keep], heights[keep], bins.size


def _values(trace: Part, axis: Axis) -> np.ndarray:
    column = trace.column(axis.letter)
    units = axis.units(column) if column is not None else np.empty(0)
    return units[np.isfinite(units)]


def _bins(trace: Part, axis: Axis, values: np.ndarray) -> Bins:
    asked = trace.part(f"{axis.letter}bins")
    if axis.kind == "category":
        return Bins(start=-0.5, size=1.0, count=max(len(axis.categories), 1))
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    size = asked.number_or_none("size")
    if size is None:
        most = trace.number(f"nbins{axis.letter}", 0)
        rough = (high - low) / most if most > 0 else _scott(values)
        size = nice_step(rough) if rough > 0 and math.isfinite(rough) else 1.0
        start = _free_of_borders(values, low, high, size)
    else:
        start = math.floor(low / size) * size
    start = axis.unit(asked.raw("start")) if asked.raw("start") is not None else start
    end = axis.unit(asked.raw("end")) if asked.raw("end") is not None else high + size * 1e-6
    return Bins(start=start, size=size, count=max(math.ceil((end - start) / size - 1e-9), 1))


def _scott(values: np.ndarray) -> float:
    """Scott's rule with the exponent 0.4 that plotly uses, not below the least distance between two values."""
    if values.size < 2:
        return 1.0
    distinct = np.unique(values)
    least = float(np.diff(distinct).min()) if distinct.size > 1 else 1.0
    # Only distances that rounding cannot have made count as such.
    least = least if least > 1e-4 * float(distinct[-1] - distinct[0]) else 0.0
    spread = 2.0 * float(values.std()) / math.pow(values.size, 0.4)
    return max(spread, least)


def _free_of_borders(values: np.ndarray, low: float, high: float, size: float) -> float:
    """The start of round bins, moved by half a bin where many values would lie on a border."""
    start = math.floor(low / size + 1e-9) * size
    if values.size and np.all(values == np.round(values)):
        if size < 1:
            return low - 0.5 * size
        start -= 0.5
        return start + size if start + size < low else start

    def near_border(numbers: np.ndarray) -> np.ndarray:
        return np.asarray((1 + (numbers - start) * 100 / size) % 100 < 2)

    many = 0.3 * values.size
    ends = near_border(np.array([low, high])).any()
    if near_border(values + size / 2).sum() < 0.1 * values.size and (near_border(values).sum() > many or ends):
        return start + size / 2 if start + size / 2 < low else start - size / 2
    return start
