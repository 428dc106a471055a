"""Who won, and who only seems to have: ties are called ties."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from optiscope.analysis.statistics import holm, paired_probability

SIGNIFICANCE = 0.05
"""Two optimizers differ when chance alone would give such a difference less often than this."""
NEGLIGIBLE = 1e-6
"""Differences below this share of the decrease from the start say nothing: both have arrived."""
FEWEST_PAIRS = 4
"""With fewer pairs of paths no test is made; only negligible differences are ties."""


def order_and_rank(
    finals: Sequence[Float[np.ndarray, " runs"]], initial: Float[np.ndarray, " runs"]
) -> tuple[list[int], list[int]]:
    """The order of some optimizers, best first, and the rank of each in that order.

    An optimizer shares the rank of the one before when the losses of their paths (pairs with the same start and the
    same noise) do not differ demonstrably: by a paired t-test with Holm's correction over the neighbours, or by less
    than a millionth of the way from the start to the lowest loss.

    Args:
        finals: loss at the end of each path of each optimizer, inf for one that diverged; the same order for all.
        initial: loss at the start of each path.
    """
    losses = np.array(finals)
    with np.errstate(all="ignore"):
        lowest = losses.min(axis=0)
        way = np.where(np.isfinite(lowest), initial - lowest, 1.0)
        shares = (losses - lowest) / np.where(way > 0, way, 1.0)
    shares = np.where(np.isfinite(losses), np.minimum(shares, 2.0), 3.0)
    order = [int(index) for index in np.lexsort((np.arange(len(losses)), shares.mean(axis=1)))]
    neighbours = list(itertools.pairwise(order))
    enough = losses.shape[1] >= FEWEST_PAIRS
    probabilities = holm(
        [paired_probability(shares[after] - shares[before]) if enough else 0.0 for before, after in neighbours]
    )
    ranks = [1] if order else []
    for place, ((before, after), probability) in enumerate(zip(neighbours, probabilities, strict=True), start=2):
        same = probability > SIGNIFICANCE or bool((np.abs(shares[after] - shares[before]) <= NEGLIGIBLE).all())
        ranks.append(ranks[-1] if same else place)
    return order, ranks
