"""Axes tied to each other by `scaleanchor`: one unit is as long on both."""

from __future__ import annotations

from optiscope.rendering.printing.axis import Axis
from optiscope.rendering.printing.page import Page


def keep_proportions(page: Page) -> None:
    """Widen ranges, or shrink domains where the figure asks for it, until tied axes have the same scale."""
    for axis in page.axes.values():
        anchor = axis.part.text("scaleanchor") or axis.anchored_by_default
        if not anchor or anchor == "False":
            continue
        other = page.axis(anchor)
        ratio = axis.part.number("scaleratio", 1.0)
        own_scale, other_scale = _pixels_per_unit(axis), _pixels_per_unit(other) * ratio
        finer, target = (axis, other_scale) if own_scale > other_scale else (other, own_scale / ratio)
        if abs(own_scale - other_scale) <= 1e-9 * other_scale:
            continue
        shrink = target / _pixels_per_unit(finer)
        if finer.part.text("constrain", "domain" if axis.anchored_by_default else "range") == "domain":
            _shrink_domain(finer, shrink)
        else:
            _widen_range(finer, 1.0 / shrink)


def _pixels_per_unit(axis: Axis) -> float:
    return axis.length / abs(axis.range[1] - axis.range[0])


def _widen_range(axis: Axis, factor: float) -> None:
    low, high = axis.range
    middle, half = (low + high) / 2, (high - low) / 2 * factor
    axis.range = (middle - half, middle + half)


def _shrink_domain(axis: Axis, factor: float) -> None:
    low, high = axis.domain
    towards = axis.part.text("constraintoward", "center" if axis.letter == "x" else "middle")
    share = {"left": 0.0, "bottom": 0.0, "right": 1.0, "top": 1.0}.get(towards, 0.5)
    spare = (high - low) * (1.0 - factor)
    axis.domain = (low + share * spare, high - (1.0 - share) * spare)
    axis.length *= factor
