"""All tensors of a model as one vector and back: for rules that look at the model as a whole."""

from __future__ import annotations

import math

from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.precision import at_least_single, in_type_of


def flatten(arrays: Arrays, *, batch_axes: int) -> Array:
    """The tensors end to end along the last axis, after the axes of the batch; in single precision at least.

    What a rule sums over this axis with `keepdims=True` has the shape (rows, 1) in a batch, as settings do.
    """
    flat = [
        at_least_single(one).reshape((*one.shape[:batch_axes], math.prod(one.shape[batch_axes:]))) for one in arrays
    ]
    return flat[0] if len(flat) == 1 else namespace(flat[0]).concat(flat, axis=-1)


def unflatten(flat: Array, like: Arrays, *, batch_axes: int) -> Arrays:
    """The inverse of `flatten`, with shapes and dtypes as in `like`."""
    parts: list[Array] = []
    begin = 0
    for one in like:
        end = begin + math.prod(one.shape[batch_axes:])
        parts.append(in_type_of(flat[..., begin:end].reshape(one.shape), one))
        begin = end
    return tuple(parts)
