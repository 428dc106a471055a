"""Number of the gradient's elements that are NaN or infinite; NaN where there is no gradient at all."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="gradient_nonfinite",
    formula="number of elements of g that are NaN or infinite",
    cost=Cost.CHEAP,
    needs=frozenset({Reduction.GRADIENT_NONFINITE}),
    per_tensor=lambda reduced: reduced[Reduction.GRADIENT_NONFINITE],
    whole=lambda reduced: reduced.total(Reduction.GRADIENT_NONFINITE),
)
