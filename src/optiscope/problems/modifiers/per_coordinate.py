"""Reads a setting that has one number for each coordinate, or one for all."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError


def per_coordinate(given: ArrayLike, dimension: int, *, what: str) -> Float64[np.ndarray, " parameters"]:
    """The numbers as a vector. Raises `ArgumentError`, in terms of `what`, for a wrong length or no finite numbers."""
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The setting {what} is made of numbers. Received: {given!r}.") from error
    if numbers.shape not in ((), (dimension,)) or not np.isfinite(numbers).all():
        raise ArgumentError(
            f"The setting {what} has one finite number for each of {dimension} coordinates, or one for all. "
            f"Received: {given!r}."
        )
    return np.broadcast_to(numbers, dimension).copy()
