"""Sums over the elements of tensors: right for every dtype and size, and as fast as the memory allows.

Tensors are walked in chunks. That keeps the difference of two tensors in the cache and out of memory, and it keeps the
sums right: a float32 sum of ten million squares in one go, as `torch.linalg.vector_norm` takes it on a CPU, is off by
4e-4; chunks of a quarter million that are added in float64 are right to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from math import isfinite, nan
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiscope.recording.reductions import Reduction

CHUNK_ON_CPU = 2**18
CHUNK_ON_ACCELERATOR = 2**24
"""Fewer kernel launches; each chunk is summed in float64."""
MOST_FOR_NUMPY = 2**18
"""Up to here NumPy on one thread is faster on a CPU: waking PyTorch's threads takes longer than the work."""
_PIECE = 2**15
"""Elements that are compared with zero at once, in a CPU's fastest cache."""

Cell = Tensor | float
"""One sum: a zero-dimensional tensor, or a number where the device need not be waited for."""


def flatten(tensor: Tensor, order: tuple[int, ...] | None) -> Tensor:
    """All elements as one real vector, walked along the axes in `order` (see `memory_order`); a view where possible."""
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype.is_complex:
        return torch.view_as_real(tensor.resolve_conj()).reshape(-1)
    return tensor.reshape(-1) if order is None else tensor.permute(order).reshape(-1)


def memory_order(parameter: Tensor) -> tuple[int, ...] | None:
    """The axes from the widest stride to the narrowest, or None when they stand so already.

    A tensor in channels-last layout is walked as it lies in memory, and every tensor that goes with it in the same
    order, so that elements meet their partners.
    """
    if parameter.is_contiguous() or parameter.is_complex() or parameter.layout != torch.strided:
        return None
    return tuple(sorted(range(parameter.dim()), key=parameter.stride, reverse=True))


class Summer:
    """Takes the sums over one tensor at a time; holds the scratch memory for it."""

    def __init__(self) -> None:
        self._numpy = _Numpy()
        self._torch = _Torch()

    def gradient_sums(self, wanted: Sequence[Reduction], gradient: Tensor, previous: Tensor | None) -> list[Cell]:
        """Sums over one gradient, and over it and that of the step before (NaN without); all are flat vectors."""
        vectors = (gradient, previous)
        if (arrays := _as_arrays(vectors)) is not None:
            return _gradient_sums(self._numpy, wanted, *arrays)
        return _in_chunks(partial(_gradient_sums, self._torch), wanted, *vectors)

    def weight_sums(
        self,
        wanted: Sequence[Reduction],
        weights: Tensor,
        before: Tensor | None,
        start: Tensor | None,
        gradient: Tensor | None,
    ) -> list[Cell]:
        """Sums over the weights, those before the step, those at the start, and the gradient; all are flat vectors."""
        vectors = (weights, before, start, gradient)
        if (arrays := _as_arrays(vectors)) is not None:
            return _weight_sums(self._numpy, wanted, *arrays)
        return _in_chunks(partial(_weight_sums, self._torch), wanted, *vectors)


class _Library(Protocol):
    """The few operations that sums are made of."""

    def dot(self, first: Any, second: Any) -> Cell: ...
    def total(self, vector: Any) -> Cell: ...
    def zeros(self, vector: Any) -> Cell: ...
    def nonfinite(self, vector: Any) -> Cell: ...
    def difference(self, first: Any, second: Any) -> Any:
        """first − second; may be overwritten by the next difference."""
        ...


class _Torch:
    """By PyTorch: for long vectors, and for any device."""

    def dot(self, first: Tensor, second: Tensor) -> Cell:
        return torch.dot(first, second)

    def total(self, vector: Tensor) -> Cell:
        return vector.sum()

    def zeros(self, vector: Tensor) -> Cell:
        if vector.device.type == "cpu":
            return _count_zeros(vector.numpy(), np.empty(_PIECE, dtype=bool))
        return vector.numel() - torch.count_nonzero(vector)

    def nonfinite(self, vector: Tensor) -> Cell:
        return vector.numel() - torch.isfinite(vector).sum()

    def difference(self, first: Tensor, second: Tensor) -> Tensor:
        return first - second


class _Numpy:
    """By NumPy, on one thread: for vectors of up to `MOST_FOR_NUMPY` elements."""

    def __init__(self) -> None:
        self._ones = {dtype: np.ones(0, dtype) for dtype in (np.dtype(np.float32), np.dtype(np.float64))}
        self._difference = dict(self._ones)
        self._is_zero = np.empty(_PIECE, dtype=bool)

    def dot(self, first: NDArray[Any], second: NDArray[Any]) -> Cell:
        return float(first.dot(second))

    def total(self, vector: NDArray[Any]) -> Cell:
        # A product with ones is twice as fast as a sum, and as exact.
        if len(self._ones[vector.dtype]) < len(vector):
            self._ones[vector.dtype] = np.ones(len(vector), vector.dtype)
        return float(vector.dot(self._ones[vector.dtype][: len(vector)]))

    def zeros(self, vector: NDArray[Any]) -> Cell:
        return _count_zeros(vector, self._is_zero)

    def nonfinite(self, vector: NDArray[Any]) -> Cell:
        return float(np.count_nonzero(~np.isfinite(vector)))

    def difference(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
        if len(self._difference[first.dtype]) < len(first):
            self._difference[first.dtype] = np.empty(len(first), first.dtype)
        difference: NDArray[Any] = np.subtract(first, second, out=self._difference[first.dtype][: len(first)])
        return difference


def _gradient_sums(library: _Library, wanted: Sequence[Reduction], g: Any, previous: Any) -> list[Cell]:
    cells: list[Cell] = []
    for reduction in wanted:
        match reduction:
            case Reduction.GRADIENT_NORM:
                cells.append(library.dot(g, g))
            case Reduction.GRADIENT_SUM:
                cells.append(library.total(g))
            case Reduction.GRADIENT_ZEROS:
                cells.append(library.zeros(g))
            case Reduction.GRADIENT_NONFINITE:
                cells.append(library.nonfinite(g))
            case Reduction.GRADIENT_DOT_PREVIOUS:
                cells.append(nan if previous is None else library.dot(g, previous))
            case Reduction.PREVIOUS_GRADIENT_NORM:
                cells.append(nan if previous is None else library.dot(previous, previous))
    return cells


def _weight_sums(library: _Library, wanted: Sequence[Reduction], w: Any, before: Any, start: Any, g: Any) -> list[Cell]:
    sums: dict[Reduction, Cell] = {}
    if Reduction.WEIGHT_NORM in wanted:
        sums[Reduction.WEIGHT_NORM] = library.dot(w, w)
    if before is not None:
        update = library.difference(w, before)
        if Reduction.UPDATE_NORM in wanted:
            sums[Reduction.UPDATE_NORM] = library.dot(update, update)
        if Reduction.UPDATE_DOT_GRADIENT in wanted and g is not None:
            sums[Reduction.UPDATE_DOT_GRADIENT] = library.dot(update, g)
    if start is not None:
        distance = library.difference(w, start)
        sums[Reduction.START_DISTANCE] = library.dot(distance, distance)
    return [sums.get(reduction, nan) for reduction in wanted]


def _count_zeros(elements: NDArray[Any], is_zero: NDArray[np.bool_]) -> float:
    """Number of zeros, piece by piece through one small buffer: three times as fast as torch.count_nonzero."""
    found = 0
    for begin in range(0, len(elements), _PIECE):
        piece = elements[begin : begin + _PIECE]
        found += int(np.count_nonzero(np.equal(piece, 0, out=is_zero[: len(piece)])))
    return float(found)


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


def _in_chunks(sums_of: Callable[..., list[Cell]], wanted: Sequence[Reduction], *vectors: Tensor | None) -> list[Cell]:
    """`sums_of` vectors that are too long for one sum, or not of a dtype in which sums can be trusted."""
    first = next(vector for vector in vectors if vector is not None)
    dtype = summing_dtype(first)
    size = CHUNK_ON_CPU if first.device.type == "cpu" else CHUNK_ON_ACCELERATOR
    pieces = [repeat(None) if vector is None else torch.split(vector, size) for vector in vectors]
    parts = [
        sums_of(wanted, *(part if part is None else part.to(dtype) for part in chunk))
        for chunk in zip(*pieces, strict=False)
    ]
    return [_added(cells) for cells in zip(*parts, strict=True)]


def _as_arrays(vectors: Sequence[Tensor | None]) -> list[NDArray[Any] | None] | None:
    """The vectors as arrays if they are short, on the CPU and of one dtype that can be summed as it is."""
    dtype = None
    for vector in vectors:
        if vector is not None:
            dtype = dtype or vector.dtype
            if vector.dtype is not dtype or vector.numel() > MOST_FOR_NUMPY or vector.device.type != "cpu":
                return None
    if dtype is not torch.float32 and dtype is not torch.float64:
        return None
    return [vector if vector is None else vector.numpy() for vector in vectors]


def _added(cells: Sequence[Cell]) -> Cell:
    if len(cells) == 1 or isinstance(cells[0], float):
        return cells[0] if len(cells) == 1 else float(sum(cells))
    tensors = [cell for cell in cells if isinstance(cell, Tensor)]
    return torch.stack(tensors).sum(dtype=torch.float32 if tensors[0].device.type == "mps" else torch.float64)


def summing_dtype(tensor: Tensor) -> torch.dtype:
    """The dtype in which products of elements are formed: float64 where it costs little."""
    if tensor.dtype is torch.float64 or tensor.device.type == "cuda":
        return torch.float64
    return torch.float32


# ------------------------------------------------------------------------------------------- one tensor, with all care


def scaled_norm(vector: Tensor) -> float:
    """‖vector‖₂ for elements whose squares over- or underflow: in float64, scaled by the largest magnitude. Waits."""
    if not vector.any():
        return 0.0
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
