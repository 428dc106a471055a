"""Lengths of tensors that neither overflow nor vanish before the tensor itself does."""

from __future__ import annotations

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.precision import at_least_single


def norm(array: Array, axes: tuple[int, ...]) -> Array:
    """√Σx² over the axes, which are kept with length one; in single precision at least.

    The largest number is taken out of the sum first, so 1e200 has a norm in float64.
    """
    xp = namespace(array)
    wide = at_least_single(array)
    if 0 in (wide.shape[axis] for axis in axes):
        return xp.sum(wide, axis=axes, keepdims=True)
    largest = xp.max(xp.abs(wide), axis=axes, keepdims=True)
    unit = wide / xp.where(largest > 0, largest, xp.ones_like(largest))
    return largest * xp.sqrt(xp.sum(unit * unit, axis=axes, keepdims=True))
