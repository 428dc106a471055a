"""Size of the gradient as the backward pass left it, before unscaling and clipping."""

from __future__ import annotations

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduction

QUANTITY = Quantity(
    name="raw_gradient_norm",
    formula="‖g‖₂ before any unscaling or clipping",
    cost=Cost.CHEAP,
    needs=frozenset({Reduction.RAW_GRADIENT_NORM}),
    per_tensor=lambda reduced: reduced[Reduction.RAW_GRADIENT_NORM],
    whole=lambda reduced: reduced.total_norm(Reduction.RAW_GRADIENT_NORM),
    core=False,
)
