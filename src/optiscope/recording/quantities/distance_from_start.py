"""How far the weights are from where they began."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="distance_from_start",
    formula="‖θ − θ at the start‖₂",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.START_DISTANCE}),
    per_tensor=lambda reduced: reduced[Reduction.START_DISTANCE],
    whole=lambda reduced: reduced.whole_norm(Reduction.START_DISTANCE),
)
