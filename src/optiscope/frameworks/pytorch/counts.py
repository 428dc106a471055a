"""Counting the elements of a tensor into the fixed log-spaced bins, on its device and without sorting or searching."""

from __future__ import annotations

import torch
from torch import Tensor

from optiscope.frameworks.pytorch.transfer import as_real
from optiscope.recording import bins

BIN_COLUMNS = bins.BIN_COUNT + 1
"""The bins, and one column more for the elements that are not finite."""


def log_histogram(tensor: Tensor) -> Tensor:
    """Counts over `bins.edges()`, and last the number of elements that are NaN or infinite; int64 [bins + 1].

    float64 is read as float32, exact but for values within 6e-8 of an edge.
    """
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    exact = as_real(tensor.detach()).reshape(-1)
    flat = exact.to(torch.float32)
    bits = flat.view(torch.int32)
    octave = ((bits >> 23) & 0xFF) - (127 + bins.LOWEST_EXPONENT)
    upper = (bits & 0x7FFFFF) >= bins.SQRT2_MANTISSA_FLOAT32
    rank = (octave * bins.BINS_PER_OCTAVE + upper + 1).clamp_(0, bins.BINS_PER_SIGN)
    index = torch.where(bits < 0, -rank, rank) + bins.BINS_PER_SIGN
    index = torch.where(torch.isfinite(exact), index, bins.BIN_COUNT)
    if index.device.type == "cpu":
        return torch.bincount(index, minlength=BIN_COLUMNS)
    # Elsewhere bincount would wait for the device, to know how many bins there are.
    return torch.zeros(BIN_COLUMNS, dtype=torch.int64, device=index.device).scatter_add_(
        0, index.long(), torch.ones_like(index, dtype=torch.int64)
    )
