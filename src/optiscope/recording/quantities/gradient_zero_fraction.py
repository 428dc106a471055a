"""Share of the gradient's elements that are exactly zero."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return np.asarray(reduced.total(Reduction.GRADIENT_ZEROS) / reduced.elements)


QUANTITY = Quantity(
    name="gradient_zero_fraction",
    formula="share of g that is exactly 0",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.GRADIENT_ZEROS}),
    per_tensor=lambda reduced: reduced[Reduction.GRADIENT_ZEROS] / reduced.sizes,
    whole=_whole,
)
