"""A plateau around a bowl: far from the minimum the gradient fades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _share(x: Values, y: Values) -> Values:
    """1 / (1 + s): 1 at the origin, 0 far away."""
    share: Values = 1 / (1 + (x * x + 2 * y * y) / 4)
    return share


@dataclass(frozen=True, kw_only=True)
class Plateau(PlanarFunction):
    """s / (1 + s) with s = (x² + 2y²) / 4: like a bowl near the origin, and ever flatter towards 1 away from it.

    Rules with a step in proportion to the gradient creep on the plateau; those that normalise the gradient do not.
    """

    name: ClassVar[str] = "plateau"
    title: ClassVar[str] = "Plateau"
    formula: ClassVar[str] = "s / (1 + s), s = (x₀² + 2x₁²) / 4"
    source: ClassVar[str] = (
        "Made for this package (the loss of Geman and McClure, 1987, on an ellipse). Not negative, zero only at "
        "the origin."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-10.0, 10.0), (-10.0, 10.0))
    first: ClassVar[tuple[float, float]] = (8.0, 6.0)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, 0.0),)
    minimum: ClassVar[float] = 0.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        bowl = (x * x + 2 * y * y) / 4
        value: Values = bowl / (1 + bowl)
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        share = _share(x, y)
        square = share * share
        return x / 2 * square, y * square

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        share = _share(x, y)
        square = share * share
        cube = square * share
        return square / 2 - x * x / 2 * cube, -x * y * cube, square - 2 * y * y * cube


FUNCTION = Plateau
