"""Size of the step that the optimizer took."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="update_norm",
    formula="‖Δθ‖₂",
    cost=Cost.MODERATE,
    needs=frozenset({Reduction.UPDATE_NORM}),
    per_tensor=lambda reduced: reduced[Reduction.UPDATE_NORM],
    whole=lambda reduced: reduced.whole_norm(Reduction.UPDATE_NORM),
)
