"""Half precision is too coarse to sum or to factorise in: such rules work in single precision and give half back."""

from __future__ import annotations

from optiscope.optimizers.arrays import Array, namespace


def at_least_single(array: Array) -> Array:
    """The array itself, or a float32 copy of one in float16 or bfloat16."""
    xp = namespace(array)
    return xp.asarray(array, dtype=xp.float32) if xp.finfo(array.dtype).bits < 32 else array


def in_type_of(array: Array, like: Array) -> Array:
    """The array with the dtype of `like`, where that is narrower than single precision; else the array itself."""
    xp = namespace(like)
    return xp.asarray(array, dtype=like.dtype) if xp.finfo(like.dtype).bits < 32 else array
