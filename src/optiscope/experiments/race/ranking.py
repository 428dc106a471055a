"""Who won, and who only seems to have: ties are called ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from optiscope.analysis.statistics import holm, paired_probability

SIGNIFICANCE = 0.05
"""Two optimizers differ when chance alone would give such a difference less often than this."""
NEGLIGIBLE = 1e-6
"""Differences below this share of the decrease from the start say nothing: both have arrived."""
FEWEST_PAIRS = 4
"""With fewer pairs of paths no test is made; only negligible differences are ties."""

Losses = Float[np.ndarray, "optimizers runs"]


def order_and_rank(
    losses: Sequence[Float[np.ndarray, " runs"]], initial: Float[np.ndarray, " runs"]
) -> tuple[list[int], list[int]]:
    """The order of some optimizers, best first, and the rank of each in that order.

    They are ordered by the logarithm of the share of the decrease that is missing, averaged over the paths: neither the
    scale of a start nor one bad path decides all. The first has rank 1, and so has everyone who does not differ from it
    demonstrably; the best of the others begins the next rank, and so on. Two do not differ when a paired t-test over
    the paths (pairs have the same start and the same noise), with Holm's correction over all who are compared with the
    same first, does not tell them apart; or when on no path more than a millionth of the decrease lies between them.

    Args:
        losses: what each path of each optimizer is judged by, inf for one that diverged; the same order for all.
        initial: loss at the start of each path.
    """
    table = np.array(losses, dtype=np.float64)
    logarithms = _logarithms(table, initial)
    left = [int(index) for index in np.lexsort((np.arange(len(table)), logarithms.mean(axis=1)))]
    order: list[int] = []
    ranks: list[int] = []
    while left:
        first, others = left[0], left[1:]
        same = _same(table, logarithms, initial, first, others)
        group = [first, *(other for other, alike in zip(others, same, strict=True) if alike)]
        ranks += [len(order) + 1] * len(group)
        order += group
        left = [other for other, alike in zip(others, same, strict=True) if not alike]
    return order, ranks


def _logarithms(losses: Losses, initial: Float[np.ndarray, " runs"]) -> Losses:
    """log₁₀ of (loss − lowest) / (initial − lowest), and a millionth; for divergence a decade above the worst."""
    with np.errstate(all="ignore"):
        finite = np.isfinite(losses)
        lowest = np.where(finite, losses, np.inf).min(axis=0)
        way = initial - lowest
        shares = (losses - lowest) / np.where((way > 0) & np.isfinite(way), way, 1.0)
        logarithms = np.log10(np.where(finite, shares, 0.0) + NEGLIGIBLE)
    worst = max(float(logarithms.max(initial=0.0, where=finite)), 0.0)
    return np.where(finite, logarithms, worst + 1.0)


def _same(
    losses: Losses, logarithms: Losses, initial: Float[np.ndarray, " runs"], first: int, others: Sequence[int]
) -> list[bool]:
    """Whether each of the others does not differ from the first demonstrably."""
    tested = losses.shape[1] >= FEWEST_PAIRS
    probabilities = holm(
        [paired_probability(logarithms[other] - logarithms[first]) if tested else 0.0 for other in others]
    )
    return [
        probability > SIGNIFICANCE or bool(_negligible(losses[first], losses[other], initial).all())
        for other, probability in zip(others, probabilities, strict=True)
    ]


def _negligible(
    one: Float[np.ndarray, " runs"], other: Float[np.ndarray, " runs"], initial: Float[np.ndarray, " runs"]
) -> Bool[np.ndarray, " runs"]:
    """Whether less than a millionth of the decrease lies between two losses, or both diverged."""
    with np.errstate(all="ignore"):
        near = np.abs(one - other) <= NEGLIGIBLE * np.abs(initial - np.minimum(one, other))
    negligible: Bool[np.ndarray, " runs"] = near | (np.isinf(one) & np.isinf(other))
    return negligible
