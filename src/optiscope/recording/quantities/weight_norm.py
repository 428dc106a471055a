"""Size of the weights after the step."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="weight_norm",
    formula="‖θ‖₂",
    cost=Cost.CHEAP,
    needs=frozenset({Reduction.WEIGHT_NORM}),
    per_tensor=lambda reduced: reduced[Reduction.WEIGHT_NORM],
    whole=lambda reduced: reduced.whole_norm(Reduction.WEIGHT_NORM),
)
