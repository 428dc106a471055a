"""Mean of the gradient's elements."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return np.asarray(reduced.total(Reduction.GRADIENT_SUM) / reduced.elements)


QUANTITY = Quantity(
    name="gradient_mean",
    formula="mean g",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.GRADIENT_SUM}),
    per_tensor=lambda reduced: reduced[Reduction.GRADIENT_SUM] / reduced.sizes,
    whole=_whole,
)
