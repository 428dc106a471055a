"""The Goldstein–Price function: values over six orders of magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.objectives import Values
from optiscope.problems.functions.planar import PlanarFunction


def _factors(x: Values, y: Values) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """A(u) and B(v), each with its first two derivatives in its own variable."""
    u, v = x + y, 2 * x - 3 * y
    return (
        (1 + (u + 1) ** 2 * (19 - u * (14 - 3 * u)), 12 * (u - 2) * (u * u - 1), 12 * (3 * u * u - 4 * u - 1)),
        (30 + v * v * (18 - v * (16 - 3 * v)), 12 * v * (v - 1) * (v - 3), 36 - v * (96 - 36 * v)),
    )


@dataclass(frozen=True, kw_only=True)
class GoldsteinPrice(PlanarFunction):
    """A(x + y) · B(2x − 3y), the product of two polynomials of degree 4, each of one variable.

    A(u) = 1 + (u + 1)² (19 − 14u + 3u²) and B(v) = 30 + v² (18 − 16v + 3v²). The usual form writes the brackets out in
    x and y; they depend on u = x + y and v = 2x − 3y alone.
    """

    name: ClassVar[str] = "goldstein_price"
    title: ClassVar[str] = "Goldstein–Price"
    formula: ClassVar[str] = "(1 + (u + 1)² (19 − 14u + 3u²)) · (30 + v² (18 − 16v + 3v²)), u = x₀ + x₁, v = 2x₀ − 3x₁"
    source: ClassVar[str] = (
        "A. A. Goldstein and J. F. Price, On descent from local minima, 1971. A(u) ≥ 1, with equality at u = −1; "
        "there the product is smallest, 3, at v = 3, where B is smallest: (0, −1)."
    )
    domain: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.0, 2.0), (-2.0, 2.0))
    first: ClassVar[tuple[float, float]] = (-1.5, 1.5)
    minimum_points: ClassVar[tuple[tuple[float, float], ...]] = ((0.0, -1.0),)
    minimum: ClassVar[float] = 3.0

    def surface(self, x: Values, y: Values) -> Values:
        """f."""
        (a, _, _), (b, _, _) = _factors(x, y)
        value: Values = a * b
        return value

    def slopes(self, x: Values, y: Values) -> tuple[Any, Any]:
        """∂f/∂x and ∂f/∂y."""
        (a, da, _), (b, db, _) = _factors(x, y)
        return da * b + 2 * a * db, da * b - 3 * a * db

    def curvatures(self, x: Values, y: Values) -> tuple[Any, Any, Any]:
        """∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y²."""
        (a, da, dda), (b, db, ddb) = _factors(x, y)
        bend, cross, twist = dda * b, da * db, a * ddb
        return bend + 4 * cross + 4 * twist, bend - cross - 6 * twist, bend - 6 * cross + 9 * twist


FUNCTION = GoldsteinPrice
