"""What to sum for a plan, and how the sums become reductions: roots, the spread, and which results to doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from optiscope.frameworks.pytorch.sums import OF_THE_GRADIENT, OF_THE_WEIGHTS
from optiscope.recording.reductions import Reduction

MENDABLE_NORMS = (
    Reduction.GRADIENT_NORM,
    Reduction.WEIGHT_NORM,
    Reduction.UPDATE_NORM,
    Reduction.START_DISTANCE,
)
"""Norms whose tensors are still at hand after the step."""
NORMS = (*MENDABLE_NORMS, Reduction.PREVIOUS_GRADIENT_NORM, Reduction.RAW_GRADIENT_NORM)
"""Measured as a sum of squares; the root is taken here."""
FACTORS = {
    Reduction.UPDATE_DOT_GRADIENT: (Reduction.UPDATE_NORM, Reduction.GRADIENT_NORM),
    Reduction.GRADIENT_DOT_PREVIOUS: (Reduction.GRADIENT_NORM, Reduction.PREVIOUS_GRADIENT_NORM),
}
"""Sums of products, and the norms whose product bounds them."""
SAFE_PRODUCT_PER_ELEMENT = {torch.float32: 1e-31, torch.float64: 1e-290}
"""A sum of products above this, times the number of elements, has lost nothing to underflow."""
SAFE_SPREAD = {torch.float32: 0.1, torch.float64: 1e-8}
"""Σ g² − (Σ g)²/n is trusted down to this share of Σ g²: what is left has 6 digits or more."""


class Trust:
    """What is known of the tensors that the columns of a table stand for."""

    def __init__(self, sizes: NDArray[np.float64], dtypes: Sequence[torch.dtype]) -> None:
        """`sizes` are the numbers of elements, `dtypes` those in which products were formed."""
        self.sizes = sizes
        self.safe_product = sizes * np.array([SAFE_PRODUCT_PER_ELEMENT[dtype] for dtype in dtypes])
        self.safe_spread = np.array([SAFE_SPREAD[dtype] for dtype in dtypes])


class Recipe:
    """How the reductions of a plan are made: which sums to take when, and where in their table to look for what.

    The table has a row for each of `rows` and a column for each tensor.
    """

    def __init__(self, asked: tuple[Reduction, ...], *, on_cpu: bool) -> None:
        """`asked` are the reductions of a plan; `on_cpu` says whether looking at a number is free."""
        wanted = set(asked)
        if Reduction.GRADIENT_SPREAD in wanted:
            # Σ (g − mean)² = Σ g² − (Σ g)²/n, which is mended where it loses digits.
            wanted |= {Reduction.GRADIENT_NORM, Reduction.GRADIENT_SUM}
        if on_cpu and Reduction.GRADIENT_NORM in wanted:
            # A finite norm says, without another pass, that every element is finite.
            wanted.discard(Reduction.GRADIENT_NONFINITE)
        self.of_gradient = tuple(reduction for reduction in Reduction if reduction in wanted & OF_THE_GRADIENT)
        self.of_weights = tuple(reduction for reduction in Reduction if reduction in wanted & OF_THE_WEIGHTS)
        summed = (*self.of_gradient, *self.of_weights)
        self.rows = (*summed, *(reduction for reduction in asked if reduction not in summed))
        place = {reduction: row for row, reduction in enumerate(self.rows)}
        self.asked = [place[reduction] for reduction in asked]
        """The rows that were asked for, in that order."""
        self.raw = place.get(Reduction.RAW_GRADIENT_NORM)
        self.gradient_norm = place.get(Reduction.GRADIENT_NORM)
        self._screened = tuple(
            [at for at, reduction in enumerate(part) if reduction in MENDABLE_NORMS]
            for part in (self.of_gradient, self.of_weights)
        )
        self._norms = [place[reduction] for reduction in NORMS if reduction in place]
        self._mendable = np.array([place[reduction] for reduction in MENDABLE_NORMS if reduction in place], dtype=int)
        self._sum = place.get(Reduction.GRADIENT_SUM)
        self._spread = place.get(Reduction.GRADIENT_SPREAD)
        self._nonfinite = place.get(Reduction.GRADIENT_NONFINITE)
        self._products = [
            (place[product], place[first], place[second])
            for product, (first, second) in FACTORS.items()
            if product in place and first in place and second in place
        ]

    def is_sound(
        self,
        of_gradient: Sequence[float],
        of_weights: Sequence[float],
        size: float,
        safe_product: float,
        safe_spread: float,
    ) -> bool:
        """Whether no sum over one large tensor over- or underflowed or lost digits: a quick look, without arrays."""
        for numbers, screened in zip((of_gradient, of_weights), self._screened, strict=True):
            if any(not safe_product < numbers[at] < np.inf for at in screened):
                return False
        if self._spread is not None and self.gradient_norm is not None and self._sum is not None:
            square, summed = of_gradient[self.gradient_norm], of_gradient[self._sum]
            return square - summed * summed / size > safe_spread * square
        return self._sum is None or abs(of_gradient[self._sum]) < np.inf

    def finish(self, table: NDArray[np.float64], trust: Trust) -> None:
        """Complete the table in place: the spread from its two sums, and the roots of the sums of squares."""
        with np.errstate(all="ignore"):
            if self._spread is not None and self.gradient_norm is not None and self._sum is not None:
                squares, summed = table[self.gradient_norm], table[self._sum]
                table[self._spread] = np.maximum(squares - summed * summed / trust.sizes, 0.0)
            table[self._norms] = np.sqrt(table[self._norms])
            if self._nonfinite is not None and self.gradient_norm is not None:
                # A finite norm says that every element is finite; where it was counted, the count stands.
                counts, norms = table[self._nonfinite], table[self.gradient_norm]
                counts[np.isnan(counts) & np.isfinite(norms)] = 0.0

    def doubtful(self, table: NDArray[np.float64], trust: Trust) -> Iterator[tuple[int, int]]:
        """The cells (row, column) that over- or underflowed or lost digits; norms come before what they bound."""
        safe = trust.safe_product
        with np.errstate(all="ignore"):
            squares = np.square(table[self._mendable])
            unsafe = ~((squares > safe) & (squares < np.inf))
            if unsafe.any():
                yield from ((int(self._mendable[row]), int(column)) for row, column in np.argwhere(unsafe))
            if self.gradient_norm is not None:
                yield from self._doubtful_gradients(table, trust, table[self.gradient_norm])
            for product, first, second in self._products:
                bound, products = table[first] * table[second], table[product]
                sound = (bound > safe) & (np.abs(products) < np.inf) | (bound == 0) | ~(bound < np.inf)
                if not sound.all():
                    yield from ((product, int(column)) for column in np.flatnonzero(~sound))

    def _doubtful_gradients(
        self, table: NDArray[np.float64], trust: Trust, norms: NDArray[np.float64]
    ) -> Iterator[tuple[int, int]]:
        if self._nonfinite is not None and (unknown := np.isnan(table[self._nonfinite])).any():
            yield from ((self._nonfinite, int(column)) for column in np.flatnonzero(unknown))
        if self._sum is not None and not (finite := np.isfinite(table[self._sum]) | ~(norms < np.inf)).all():
            yield from ((self._sum, int(column)) for column in np.flatnonzero(~finite))
        if self._spread is not None:
            squares, spreads = norms * norms, table[self._spread]
            sound = (spreads > trust.safe_spread * squares) & (squares > trust.safe_product) & (spreads < np.inf)
            if not sound.all():
                yield from ((self._spread, int(column)) for column in np.flatnonzero(~sound))
