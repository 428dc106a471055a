"""How far the step points down the gradient: 1 for plain gradient descent."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities import update_norm
from optiscope.recording.quantities.quantity import Cost, Quantity, cosine
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return cosine(
        -reduced.total(Reduction.UPDATE_DOT_GRADIENT),
        update_norm.QUANTITY.whole(reduced),
        reduced.total_norm(Reduction.GRADIENT_NORM),
    )


QUANTITY = Quantity(
    name="update_gradient_cosine",
    formula="cos(Δθ, −g)",
    cost=Cost.MODERATE,
    needs=frozenset({Reduction.UPDATE_DOT_GRADIENT, Reduction.UPDATE_NORM, Reduction.GRADIENT_NORM}),
    per_tensor=lambda reduced: cosine(
        -reduced[Reduction.UPDATE_DOT_GRADIENT], reduced[Reduction.UPDATE_NORM], reduced[Reduction.GRADIENT_NORM]
    ),
    whole=_whole,
)
