"""Principal components of few points in very many dimensions, by the Gram matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from optiscope.errors import ArgumentError

_CACHE_BYTES = 2 * 2**20
"""Size of a piece that a processor's cache holds while it is centred and multiplied: 2 to 3 times as fast as larger."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Points seen in the plane (or space) in which they differ most."""

    coordinates: Float[np.ndarray, "rows components"]
    """Position of each point along each component, in the unit of the points; the mean of all points is the origin."""
    explained_variance: Float[np.ndarray, " components"]
    """Share of the total variance along each component, 0 to 1."""
    total_variance: float
    """Mean squared distance of the points from their mean, in the square of their unit."""
    distance_off: Float[np.ndarray, " rows"]
    """Distance of each point from the plane of the components, in the unit of the points."""
    combination: Float[np.ndarray, "rows components"]
    """Unit vector along component k = Σ_i combination[i, k] · (point_i − mean). Rebuilds directions without the SVD."""


def gram_matrix(blocks: Iterable[NDArray[np.generic]]) -> Float[np.ndarray, "rows rows"]:
    """X Xᵀ of the centred points, accumulated in float64 over blocks of columns.

    Each column is centred before it is multiplied: centring the finished matrix instead would subtract large numbers
    from each other and lose the small movements that are of interest.

    Args:
        blocks: arrays of shape [rows, any number of columns] and any real dtype, together all columns of X.
    """
    total: NDArray[np.float64] | None = None
    for block in blocks:
        width = max(1, _CACHE_BYTES // (8 * max(1, len(block))))
        for start in range(0, block.shape[1], width):
            columns = np.array(block[:, start : start + width], dtype=np.float64)
            columns -= columns.mean(axis=0)
            product = columns @ columns.T
            total = product if total is None else total + product
    if total is None:
        raise ArgumentError("There are no columns: a projection needs at least one block of numbers.")
    return total


def principal_components(blocks: Iterable[NDArray[np.generic]], components: int = 2) -> Projection:
    """Project points on their first principal components.

    With G = X Xᵀ = U Λ Uᵀ for the centred points X, the coordinates are U √Λ and the shares Λ / tr G. For T points in
    D ≫ T dimensions this costs T² D and holds T² numbers; the singular value decomposition of X, which it equals,
    needs X whole and several copies of it. The sign of each component is fixed: its largest coordinate (the last of
    them where several tie) is positive, so that the same points always give the same picture.

    Args:
        blocks: arrays [rows, columns] that together hold all columns of the points; see `gram_matrix`.
        components: how many; at least 1, fewer than the points.

    Raises:
        ArgumentError: too few points for so many components, or a point that is not finite.
    """
    gram = gram_matrix(blocks)
    rows = len(gram)
    if components < 1 or rows <= components:
        raise ArgumentError(f"{components} components need more than {components} points. Received: {rows}.")
    if not np.isfinite(gram).all():
        raise ArgumentError("Points that are NaN or infinite have no principal components. Leave them out first.")
    ascending, vectors = np.linalg.eigh(gram)
    eigenvalues = np.clip(ascending[::-1], 0.0, None)
    vectors = vectors[:, ::-1]
    signs = np.array([_sign(vectors[:, k]) for k in range(components)])
    chosen = vectors[:, :components] * signs
    scales = np.sqrt(eigenvalues)
    total = float(np.trace(gram))
    with np.errstate(divide="ignore", invalid="ignore"):
        combination = np.where(scales[:components] > 0.0, chosen / scales[:components], 0.0)
    return Projection(
        coordinates=chosen * scales[:components],
        explained_variance=eigenvalues[:components] / total if total > 0.0 else np.zeros(components),
        total_variance=total / rows,
        # The components that were left out, summed: no difference of nearly equal numbers as in G_ii − Σ c².
        distance_off=np.linalg.norm(vectors[:, components:] * scales[components:], axis=1),
        combination=combination,
    )


def _sign(vector: Float[np.ndarray, " rows"]) -> float:
    sizes = np.abs(vector)
    # Coordinates that tie within rounding must not let rounding choose the sign.
    tied = np.flatnonzero(sizes >= sizes.max() * (1.0 - 1e-6))
    return 1.0 if vector[tied[-1]] >= 0.0 else -1.0
