"""Sums over the elements of tensors: right for every dtype and size, and as fast as the memory allows.

Tensors are walked in chunks. That keeps the difference of two tensors in the cache and out of memory, and it keeps the
sums right: a float32 sum of ten million squares in one go, as `torch.linalg.vector_norm` takes it on a CPU, is off by
4e-4; chunks of a quarter million that are added in float64 are right to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from itertools import repeat
from math import isfinite

import torch
from torch import Tensor

from optiscope.recording.reductions import Reduction

CHUNK_ON_CPU = 2**18
CHUNK_ON_ACCELERATOR = 2**24
"""Fewer kernel launches; each chunk is summed in float64."""

Sums = dict[Reduction, Tensor]
"""Zero-dimensional tensors. Those of norms are sums of squares."""

OF_THE_GRADIENT = frozenset(
    {
        Reduction.GRADIENT_NORM,
        Reduction.GRADIENT_SUM,
        Reduction.GRADIENT_ZEROS,
        Reduction.GRADIENT_NONFINITE,
        Reduction.GRADIENT_DOT_PREVIOUS,
        Reduction.PREVIOUS_GRADIENT_NORM,
    }
)
"""What `gradient_sums` can compute."""
OF_THE_WEIGHTS = frozenset(
    {Reduction.WEIGHT_NORM, Reduction.UPDATE_NORM, Reduction.UPDATE_DOT_GRADIENT, Reduction.START_DISTANCE}
)
"""What `weight_sums` can compute."""


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
    return tuple(sorted(range(parameter.dim()), key=parameter.stride, reverse=True))


def gradient_sums(wanted: Set[Reduction], gradient: Tensor, previous: Tensor | None) -> Sums:
    """Sums over one gradient, and over it and that of the step before; all are flat vectors."""
    return _in_chunks(_gradient_sums, wanted & OF_THE_GRADIENT, gradient, previous)


def weight_sums(
    wanted: Set[Reduction], weights: Tensor, before: Tensor | None, start: Tensor | None, gradient: Tensor | None
) -> Sums:
    """Sums over the weights, those before the step, those at the start, and the gradient; all are flat vectors."""
    return _in_chunks(_weight_sums, wanted & OF_THE_WEIGHTS, weights, before, start, gradient)


def _gradient_sums(wanted: Set[Reduction], g: Tensor, previous: Tensor | None) -> Sums:
    sums: Sums = {}
    if Reduction.GRADIENT_NORM in wanted:
        sums[Reduction.GRADIENT_NORM] = torch.dot(g, g)
    if Reduction.GRADIENT_SUM in wanted:
        sums[Reduction.GRADIENT_SUM] = g.sum()
    if Reduction.GRADIENT_ZEROS in wanted:
        sums[Reduction.GRADIENT_ZEROS] = g.numel() - torch.count_nonzero(g)
    if Reduction.GRADIENT_NONFINITE in wanted:
        sums[Reduction.GRADIENT_NONFINITE] = g.numel() - torch.isfinite(g).sum()
    if previous is not None:
        if Reduction.GRADIENT_DOT_PREVIOUS in wanted:
            sums[Reduction.GRADIENT_DOT_PREVIOUS] = torch.dot(g, previous)
        if Reduction.PREVIOUS_GRADIENT_NORM in wanted:
            sums[Reduction.PREVIOUS_GRADIENT_NORM] = torch.dot(previous, previous)
    return sums


def _weight_sums(
    wanted: Set[Reduction], w: Tensor, before: Tensor | None, start: Tensor | None, g: Tensor | None
) -> Sums:
    sums: Sums = {}
    if Reduction.WEIGHT_NORM in wanted:
        sums[Reduction.WEIGHT_NORM] = torch.dot(w, w)
    if before is not None:
        update = w - before
        if Reduction.UPDATE_NORM in wanted:
            sums[Reduction.UPDATE_NORM] = torch.dot(update, update)
        if Reduction.UPDATE_DOT_GRADIENT in wanted and g is not None:
            sums[Reduction.UPDATE_DOT_GRADIENT] = torch.dot(update, g)
    if start is not None and Reduction.START_DISTANCE in wanted:
        distance = w - start
        sums[Reduction.START_DISTANCE] = torch.dot(distance, distance)
    return sums


def _in_chunks(sums_of: Callable[..., Sums], wanted: Set[Reduction], first: Tensor, *others: Tensor | None) -> Sums:
    """`sums_of` the vectors, chunk by chunk when they are long, and in a dtype in which sums can be trusted."""
    on_cpu = first.device.type == "cpu"
    dtype = _summing_dtype(first)
    vectors: Sequence[Tensor | None] = (first, *others)
    if first.numel() <= CHUNK_ON_CPU:
        return sums_of(wanted, *(v if v is None or v.dtype is dtype else v.to(dtype) for v in vectors))
    size = CHUNK_ON_CPU if on_cpu else CHUNK_ON_ACCELERATOR
    pieces = [repeat(None) if vector is None else torch.split(vector, size) for vector in vectors]
    parts = [
        sums_of(wanted, *(c if c is None or c.dtype is dtype else c.to(dtype) for c in chunk))
        for chunk in zip(*pieces, strict=False)
    ]
    widest = torch.float32 if first.device.type == "mps" else torch.float64
    return {reduction: torch.stack([part[reduction] for part in parts]).sum(dtype=widest) for reduction in parts[0]}


def _summing_dtype(tensor: Tensor) -> torch.dtype:
    if tensor.dtype is torch.float64 or tensor.device.type == "cuda":
        return torch.float64
    return torch.float32


# ------------------------------------------------------------------------------------------- one tensor, with all care


def scaled_norm(vector: Tensor) -> float:
    """‖vector‖₂ for elements whose squares over- or underflow: in float64, scaled by the largest magnitude. Waits."""
    wide = vector.to(torch.float64)
    largest = float(wide.abs().max()) if wide.numel() else 0.0
    if largest == 0.0 or not isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(wide / largest))


def careful_dot(first: Tensor, second: Tensor) -> float:
    """⟨first, second⟩ in float64. Waits."""
    return float(torch.dot(first.to(torch.float64), second.to(torch.float64)))


def careful_spread(vector: Tensor) -> float:
    """Σ (vector − its mean)² in two passes and float64. Waits."""
    wide = vector.to(torch.float64)
    return float(torch.square(wide - wide.mean()).sum())
