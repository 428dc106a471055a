"""Size of the gradient."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="gradient_norm",
    formula="‖g‖₂",
    cost=Cost.CHEAP,
    needs=frozenset({Reduction.GRADIENT_NORM}),
    per_tensor=lambda reduced: reduced[Reduction.GRADIENT_NORM],
    whole=lambda reduced: reduced.total_norm(Reduction.GRADIENT_NORM),
)
