"""What principal components would explain if training were a random walk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError


def random_walk_variance(times: Sequence[ArrayLike], components: int) -> Float[np.ndarray, " components"]:
    """Share of the variance in each of the first principal components of random walks in many dimensions.

    A walk with independent increments has covariance min(tᵢ, tⱼ) between two times since its start, in each
    dimension. In many dimensions the Gram matrix of the centred positions tends to the centred covariance
    C = H min(tᵢ, tⱼ) H, H = I − 1/T, so the shares are λ_k / Σ λ with the eigenvalues λ of C. For one walk seen at
    T → ∞ even times λ_k / Σ λ → 6 / (π² k²): 0.61, 0.15, 0.07 …: two components "explain" 76 % of pure noise.
    A trajectory that is explained no better than this has shown nothing. Here the shares are exact for the times given,
    even or not; several walks are independent and start at one point.

    Args:
        times: one array a walk, of the times (steps since the start) at which it is seen.
        components: how many shares to return.

    Source: Antognini and Sohl-Dickstein, "PCA of high dimensional random walks with comparison to neural network
    training", NeurIPS 2018.
    """
    walks = [np.asarray(walk, dtype=np.float64) for walk in times]
    rows = sum(len(walk) for walk in walks)
    if components < 1 or rows <= components:
        raise ArgumentError(f"{components} components need more than {components} positions. Received: {rows}.")
    covariance = np.zeros((rows, rows))
    start = 0
    for walk in walks:
        stop = start + len(walk)
        covariance[start:stop, start:stop] = np.minimum.outer(walk, walk)
        start = stop
    centred = covariance - covariance.mean(axis=0) - covariance.mean(axis=1, keepdims=True) + covariance.mean()
    eigenvalues = np.clip(np.linalg.eigvalsh(centred)[::-1], 0.0, None)
    total = eigenvalues.sum()
    return np.zeros(components) if total == 0.0 else eigenvalues[:components] / total
