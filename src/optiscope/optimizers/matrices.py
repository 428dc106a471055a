"""Matrices along the axes of a tensor: what Shampoo, SOAP and Muon do beyond elementwise arithmetic.

A tensor of shape (*batch, n₁, …, nₖ) has a matrix of shape (*batch, nᵢ, nᵢ) for each of its axes.
"""

from __future__ import annotations

import math

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import Setting


def beside_matrices(setting: Setting) -> Setting:
    """A setting that fits the matrices: one of shape (rows, 1) becomes (rows, 1, 1), a number stays as it is."""
    return setting[..., None] if getattr(setting, "ndim", 0) > 0 else setting


def identity(tensor: Array, axis: int, *, batch_axes: int) -> Array:
    """The identity matrix along an axis of the tensor, for each tensor of the batch."""
    xp = namespace(tensor)
    size = tensor.shape[axis]
    eye = xp.eye(size, dtype=tensor.dtype, device=tensor.device)
    return xp.zeros((*tensor.shape[:batch_axes], size, size), dtype=tensor.dtype, device=tensor.device) + eye


def gram(tensor: Array, axis: int, *, batch_axes: int) -> Array:
    """G Gᵀ, where G has the given axis of the tensor as rows and all its other axes together as columns."""
    xp = namespace(tensor)
    unfolded = _rows_last(tensor, axis, batch_axes=batch_axes)
    return xp.matmul(xp.matrix_transpose(unfolded), unfolded)


def multiply_along(tensor: Array, matrix: Array, axis: int, *, batch_axes: int) -> Array:
    """Σᵢ t[…, i, …] M[i, j]: the tensor with the axis multiplied by the matrix from the right."""
    xp = namespace(tensor)
    product = xp.matmul(_rows_last(tensor, axis, batch_axes=batch_axes), matrix)
    moved = xp.moveaxis(tensor, axis, -1).shape
    return xp.moveaxis(product.reshape((*moved[:-1], matrix.shape[-1])), -1, axis)


def eigen(matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors as columns, of symmetric matrices.

    A matrix with an entry that is not finite gets NaN as eigenvalues, where LAPACK would end with an error: a row of
    a batch that has diverged must not end the others.
    """
    xp = namespace(matrix)
    finite = xp.all(xp.isfinite(matrix), axis=(-2, -1), keepdims=True)
    values, vectors = xp.linalg.eigh(xp.where(finite, matrix, xp.zeros_like(matrix)))
    return xp.where(finite[..., 0], values, xp.zeros_like(values) + math.nan), vectors


def orthonormal(columns: Array, instead: Array) -> Array:
    """Gram and Schmidt's orthonormal columns of square matrices, as long as each adds a direction to those before.

    From the first that does not, the columns of `instead` take their place, orthogonal to those found. Rounding would
    otherwise make arbitrary directions of them, other ones on each machine.
    """
    xp = namespace(columns)
    q, r = xp.linalg.qr(columns)
    size = columns.shape[-1]
    new = abs(xp.sum(r * xp.eye(size, dtype=r.dtype, device=r.device), axis=-1))
    bound = 8 * size * float(xp.finfo(columns.dtype).eps) * xp.max(new, axis=-1, keepdims=True)
    dependent = xp.asarray(~(new > bound), dtype=columns.dtype)
    up_to_here = xp.triu(xp.ones((size, size), dtype=columns.dtype, device=columns.device))
    kept = xp.matmul(dependent[..., None, :], up_to_here) == 0
    if bool(xp.all(kept)):
        return q
    known = xp.where(kept, q, xp.zeros_like(q))
    rest = instead - xp.matmul(known, xp.matmul(xp.matrix_transpose(known), instead))
    return xp.linalg.qr(xp.where(kept, q, rest))[0]


def _rows_last(tensor: Array, axis: int, *, batch_axes: int) -> Array:
    """The tensor as matrices (*batch, product of the other axes, length of the axis)."""
    moved = namespace(tensor).moveaxis(tensor, axis, -1)
    shape = moved.shape
    return moved.reshape((*shape[:batch_axes], math.prod(shape[batch_axes:-1]), shape[-1]))
