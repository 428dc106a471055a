"""Eggholder: deep, irregular basins, the lowest at the edge of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _root_wave(u: Values) -> tuple[Values, Values, Values]:
    """sin √|u| and its first two derivatives; these are 0 at u = 0."""
    root = np.sqrt(np.abs(u))
    sine, cosine = np.sin(root), np.cos(root)
    divisor = np.where(root == 0, np.inf, root)
    return sine, np.sign(u) * cosine / (2 * divisor), -(sine + cosine / divisor) / (4 * divisor * divisor)


@dataclass(frozen=True, kw_only=True)
class Eggholder(PlanarFunction):
    """−(y + 47) sin √|x/2 + y + 47| − x sin √|x − y − 47|.

    Where a root is of zero the slope of its sine is infinite on both sides, with opposite signs: there the derivatives
    of that sine are defined as 0. The minimum is that of the domain, on its edge, where the gradient is not zero: a
    path may leave the domain there and find lower values.
    """

    name: ClassVar[str] = "eggholder"
    title: ClassVar[str] = "Eggholder"
    formula: ClassVar[str] = "−(x₁ + 47) sin √|x₀/2 + x₁ + 47| − x₀ sin √|x₀ − x₁ − 47|"
    source: ClassVar[str] = (
        "D. Whitley, S. Rana, J. Dzubera and K. E. Mathias, Evaluating evolutionary algorithms, 1996 (as collected by "
        "M. Jamil and X.-S. Yang, 2013). The minimum on the edge x = 512 by Newton's method along y with 40 digits."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-512.0, 512.0), (-512.0, 512.0))
    first: ClassVar[tuple[float, float]] = (0.0, 0.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((512.0, 404.2318051137578109),)
    minimum: ClassVar[float] = -959.6406627208508028

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        height = y + 47
        value: Values = -height * _root_wave(x / 2 + height)[0] - x * _root_wave(x - height)[0]
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        height = y + 47
        (p, dp, _), (q, dq, _) = _root_wave(x / 2 + height), _root_wave(x - height)
        return -height * dp / 2 - q - x * dq, -p - height * dp + x * dq

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        height = y + 47
        (_, dp, ddp), (_, dq, ddq) = _root_wave(x / 2 + height), _root_wave(x - height)
        return (
            -height * ddp / 4 - 2 * dq - x * ddq,
            -dp / 2 - height * ddp / 2 + dq + x * ddq,
            -2 * dp - height * ddp - x * ddq,
        )


FUNCTION = Eggholder
