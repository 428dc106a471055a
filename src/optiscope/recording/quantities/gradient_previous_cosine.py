"""How far the gradient points where that of the step before pointed: near −1 when bouncing, near 1 when creeping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities.quantity import Cost, Quantity, cosine
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return cosine(
        reduced.total(Reduction.GRADIENT_DOT_PREVIOUS),
        reduced.total_norm(Reduction.GRADIENT_NORM),
        reduced.total_norm(Reduction.PREVIOUS_GRADIENT_NORM),
    )


QUANTITY = Quantity(
    name="gradient_previous_cosine",
    formula="cos(g, g of the step before)",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.GRADIENT_DOT_PREVIOUS, Reduction.PREVIOUS_GRADIENT_NORM, Reduction.GRADIENT_NORM}),
    per_tensor=lambda reduced: cosine(
        reduced[Reduction.GRADIENT_DOT_PREVIOUS],
        reduced[Reduction.GRADIENT_NORM],
        reduced[Reduction.PREVIOUS_GRADIENT_NORM],
    ),
    whole=_whole,
)
