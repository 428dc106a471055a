"""The small tensors of a model on a CPU, measured together: most of a network's tensors are biases and scales.

One torch operation on a tensor of a few hundred elements takes about as long as one on a hundred thousand. So the small
ones are gathered into one NumPy vector in float64, and every sum is taken over all of them at once, segment by segment.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiscope.frameworks.pytorch.transfer import as_real
from optiscope.recording.reductions import Reduction

MOST_ELEMENTS = 4096
"""Larger tensors are worth an operation of their own."""

Vector = NDArray[np.float64]
_KNOWN_TO_NUMPY = frozenset({torch.float16, torch.float32, torch.float64})


class SmallTensors:
    """Some parameters of one optimizer, as segments of one vector. What is missing is NaN."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        lengths = np.array([as_real(parameter.detach()).numel() for parameter in parameters], dtype=int)
        self._lengths = lengths
        self._offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(int)
        self._nothing = torch.full((int(lengths.sum()),), torch.nan)
        self._start = self._nothing
        self._before = self._nothing
        self._previous = self._nothing
        self._gradient = self._nothing
        self._scratch = np.empty((0, len(self._nothing)))

    def held_bytes(self) -> int:
        """Memory of the lasting copies, in bytes."""
        held = [v for v in (self._start, self._before, self._previous) if v is not self._nothing]
        return sum(vector.numel() * vector.element_size() for vector in held)

    def keep_start(self, starts: Sequence[Tensor]) -> None:
        """Copy the weights that distances are measured from."""
        self._start = self._gather(starts)

    def start_of(self, index: int) -> Tensor:
        """The weights of one parameter at the start, as a vector."""
        return self._segment(self._start, index)

    def before_of(self, index: int) -> Tensor:
        """The weights of one parameter before the step, as a vector."""
        return self._segment(self._before, index)

    def flat(self, tensor: Tensor, index: int) -> Tensor:
        """A tensor of the shape of parameter `index` as one vector."""
        return _flat(tensor)

    def gradient_sums(self, wanted: Sequence[Reduction], gradients: Sequence[Tensor | None]) -> NDArray[np.float64]:
        """Sums over the gradients [wanted, tensors], and over them and those kept from the step before."""
        self._gradient = self._gather(gradients)
        if not wanted:
            return self._sums(self._terms(0))
        g, q = _array(self._gradient), _array(self._previous)
        terms = self._terms(len(wanted))
        for reduction, row in zip(wanted, terms, strict=True):
            match reduction:
                case Reduction.GRADIENT_NORM:
                    np.multiply(g, g, out=row)
                case Reduction.GRADIENT_SUM:
                    row[:] = g
                case Reduction.GRADIENT_ZEROS:
                    np.equal(g, 0, out=row)
                case Reduction.GRADIENT_NONFINITE:
                    np.logical_not(np.isfinite(g), out=row)
                case Reduction.GRADIENT_DOT_PREVIOUS:
                    np.multiply(g, q, out=row)
                case Reduction.PREVIOUS_GRADIENT_NORM:
                    np.multiply(q, q, out=row)
        sums = self._sums(terms)
        if any(gradient is None for gradient in gradients):
            sums[:, [gradient is None for gradient in gradients]] = np.nan
        return sums

    def keep_weights(self) -> None:
        """Copy the weights before the step."""
        self._before = self._gather(self._parameters)
        self._previous = self._nothing

    def weight_sums(self, wanted: Sequence[Reduction], gradients: Sequence[Tensor | None]) -> NDArray[np.float64]:
        """Sums over the weights [wanted, tensors], the update, the distance from the start, and the gradients."""
        if not wanted:
            return self._sums(self._terms(0))
        w = _array(self._gather(self._parameters))
        g = _array(self._gradient if any(gradient is not None for gradient in gradients) else self._nothing)
        update = w - _array(self._before)
        terms = self._terms(len(wanted))
        for reduction, row in zip(wanted, terms, strict=True):
            match reduction:
                case Reduction.WEIGHT_NORM:
                    np.multiply(w, w, out=row)
                case Reduction.UPDATE_NORM:
                    np.multiply(update, update, out=row)
                case Reduction.UPDATE_DOT_GRADIENT:
                    np.multiply(update, g, out=row)
                case Reduction.START_DISTANCE:
                    distance = w - _array(self._start)
                    np.multiply(distance, distance, out=row)
        return self._sums(terms)

    def keep_gradients(self, gradients: Sequence[Tensor | None], *, are_measured: bool) -> None:
        """Keep the gradients for the next step; those that were measured at this step are gathered already."""
        self._previous = self._gradient if are_measured else self._gather(gradients)
        self._before = self._nothing

    def _segment(self, vector: Tensor, index: int) -> Tensor:
        begin = self._offsets[index]
        return vector[begin : begin + self._lengths[index]]

    def _gather(self, tensors: Sequence[Tensor | None]) -> Tensor:
        if all(tensor is None for tensor in tensors):
            return self._nothing
        parts = [
            p.new_full((1,), torch.nan).expand(p.numel()) if t is None else _flat(t)
            for p, t in zip(self._parameters, tensors, strict=True)
        ]
        # `cat` copies, so what is gathered stays what it was when training goes on.
        return torch.cat(parts)

    def _terms(self, count: int) -> NDArray[np.float64]:
        """Scratch memory for `count` rows of what is summed."""
        if len(self._scratch) < count:
            self._scratch = np.empty((count, len(self._nothing)))
        return self._scratch[:count]

    def _sums(self, terms: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(self._lengths):
            return np.empty((len(terms), 0))
        return np.add.reduceat(terms, self._offsets, axis=1)


def _array(vector: Tensor) -> Vector:
    """The vector in float64."""
    known_to_numpy = vector if vector.dtype in _KNOWN_TO_NUMPY else vector.to(torch.float32)
    return known_to_numpy.numpy().astype(np.float64)


def _flat(tensor: Tensor) -> Tensor:
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    return (as_real(tensor) if tensor.is_complex() else tensor.detach()).reshape(-1)
