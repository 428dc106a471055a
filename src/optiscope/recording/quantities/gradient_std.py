"""Standard deviation of the gradient's elements (divided by n, not n − 1: it describes, it does not estimate)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities.quantity import Cost, Quantity
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    # Spread within the tensors plus spread of their means about the common mean.
    means = reduced[Reduction.GRADIENT_SUM] / reduced.sizes
    common = reduced.total(Reduction.GRADIENT_SUM) / reduced.elements
    between = np.where(reduced.present, reduced.sizes * np.square(means - common[:, None]), 0.0).sum(axis=1)
    return np.asarray(np.sqrt((reduced.total(Reduction.GRADIENT_SPREAD) + between) / reduced.elements))


QUANTITY = Quantity(
    name="gradient_std",
    formula="√(mean (g − mean g)²)",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.GRADIENT_SPREAD, Reduction.GRADIENT_SUM}),
    per_tensor=lambda reduced: np.sqrt(reduced[Reduction.GRADIENT_SPREAD] / reduced.sizes),
    whole=_whole,
)
