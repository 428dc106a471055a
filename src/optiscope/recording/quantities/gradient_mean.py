"""Mean of the gradient's elements."""

import numpy as np
from jaxtyping import Float

from optiscope.recording.quantities.quantity import Cost, Quantity, ratio
from optiscope.recording.reductions import Reduced, Reduction


def _whole(reduced: Reduced) -> Float[np.ndarray, " rows"]:
    return ratio(reduced.total(Reduction.GRADIENT_SUM), reduced.elements)


QUANTITY = Quantity(
    name="gradient_mean",
    formula="mean g",
    cost=Cost.DEAR,
    needs=frozenset({Reduction.GRADIENT_SUM}),
    per_tensor=lambda reduced: ratio(reduced[Reduction.GRADIENT_SUM], reduced.sizes),
    whole=_whole,
)
