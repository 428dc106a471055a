"""Size of the step relative to the weights; between 1e-4 and 1e-1 in most healthy runs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities import update_norm, weight_norm
from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return update_norm.QUANTITY.whole(reduced) / weight_norm.QUANTITY.whole(reduced)


QUANTITY = Quantity(
    name="update_ratio",
    # The weights after the step, so that a layer that starts at zero has a finite ratio.
    formula="‖Δθ‖₂ / ‖θ‖₂",
    cost=Cost.MODERATE,
    needs=frozenset({Reduction.UPDATE_NORM, Reduction.WEIGHT_NORM}),
    per_tensor=lambda reduced: reduced[Reduction.UPDATE_NORM] / reduced[Reduction.WEIGHT_NORM],
    whole=_whole,
)
