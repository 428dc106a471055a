"""The small tensors of a model on a CPU, measured together: most of a network's tensors are biases and scales.

One torch operation on a tensor of a few hundred elements takes about as long as one on a hundred thousand. So the small
ones are gathered into one NumPy vector in float64, and every sum is taken over all of them at once, segment by segment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiscope.frameworks.pytorch.transfer import as_real
from optiscope.recording.reductions import Reduction

MOST_ELEMENTS = 4096
"""Larger tensors are worth an operation of their own."""

Vector = NDArray[np.float64]

_GRADIENT_TERMS: dict[Reduction, Callable[[Vector, Vector], NDArray[np.generic]]] = {
    Reduction.GRADIENT_NORM: lambda g, q: g * g,
    Reduction.GRADIENT_SUM: lambda g, q: g,
    Reduction.GRADIENT_ZEROS: lambda g, q: g == 0,
    Reduction.GRADIENT_NONFINITE: lambda g, q: ~np.isfinite(g),
    Reduction.GRADIENT_DOT_PREVIOUS: lambda g, q: g * q,
    Reduction.PREVIOUS_GRADIENT_NORM: lambda g, q: q * q,
}
"""What is summed, of a gradient g and that of the step before, q."""
_WEIGHT_TERMS: dict[Reduction, Callable[[Vector, Vector, Vector, Vector], NDArray[np.generic]]] = {
    Reduction.WEIGHT_NORM: lambda w, u, d, g: w * w,
    Reduction.UPDATE_NORM: lambda w, u, d, g: u * u,
    Reduction.UPDATE_DOT_GRADIENT: lambda w, u, d, g: u * g,
    Reduction.START_DISTANCE: lambda w, u, d, g: d * d,
}
"""What is summed, of the weights w, the update u, the distance from the start d and the gradient g."""


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
        g, q = _wide(self._gradient), _wide(self._previous)
        sums = self._sums([_GRADIENT_TERMS[reduction](g, q) for reduction in wanted])
        sums[:, [gradient is None for gradient in gradients]] = np.nan
        return sums

    def keep_weights(self) -> None:
        """Copy the weights before the step."""
        self._before = self._gather(self._parameters)
        self._previous = self._nothing

    def weight_sums(self, wanted: Sequence[Reduction], gradients: Sequence[Tensor | None]) -> NDArray[np.float64]:
        """Sums over the weights [wanted, tensors], the update, the distance from the start, and the gradients."""
        weights = _wide(self._gather(self._parameters))
        update, distance = weights - _wide(self._before), weights - _wide(self._start)
        gradient = _wide(self._gradient if any(g is not None for g in gradients) else self._nothing)
        return self._sums([_WEIGHT_TERMS[reduction](weights, update, distance, gradient) for reduction in wanted])

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

    def _sums(self, terms: Sequence[NDArray[np.generic]]) -> NDArray[np.float64]:
        if not terms or not len(self._lengths):
            return np.empty((len(terms), len(self._lengths)))
        matrix = np.empty((len(terms), len(self._nothing)))
        for row, term in zip(matrix, terms, strict=True):
            row[:] = term
        return np.add.reduceat(matrix, self._offsets, axis=1)


def _wide(vector: Tensor) -> Vector:
    return np.asarray(vector.to(torch.float64).numpy())


def _flat(tensor: Tensor) -> Tensor:
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    return (as_real(tensor) if tensor.is_complex() else tensor.detach()).reshape(-1)
