"""The fixed bins of all histograms: two per octave of magnitude, the same for every tensor, step and run.

Edges are ±2^(k/2) for k from -80 to 48, so magnitudes from 9.1e-13 to 1.7e7 are resolved; one bin around zero takes
what is smaller, and the outermost bins take what is larger. Because the edges are half powers of two, the bin of a
floating-point number follows from its exponent and one comparison of its mantissa: no search, exact.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from optiscope.runs.schema import fixed_edges

BINS_PER_OCTAVE = 2
LOWEST_EXPONENT = -40
HIGHEST_EXPONENT = 24
BINS_PER_SIGN = (HIGHEST_EXPONENT - LOWEST_EXPONENT) * BINS_PER_OCTAVE
BIN_COUNT = 2 * BINS_PER_SIGN + 1
"""Negative bins, the bin around zero, positive bins."""

SQRT2_MANTISSA_FLOAT32 = 0x3504F4
"""Mantissa bits of the smallest float32 that is not below √2."""
SQRT2_MANTISSA_FLOAT64 = 0x6A09E667F3BCD
"""The same for float64."""


def edges() -> Float[np.ndarray, " bins+1"]:
    """The edges of the bins, ascending, in float64: those of the run format."""
    return fixed_edges()


def count(elements: Float[np.ndarray, "..."]) -> tuple[Int64[np.ndarray, " bins"], int]:
    """Histogram of `elements` over the fixed bins, and the number that are NaN or infinite.

    A bin takes its edge that is nearer to zero, so that x and −x always fall into mirror bins.
    """
    flat = np.asarray(elements, dtype=np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    bits = finite.view(np.int64)
    magnitude = bits & 0x7FFFFFFFFFFFFFFF
    octave = (magnitude >> 52) - 1023 - LOWEST_EXPONENT
    upper = (magnitude & 0xFFFFFFFFFFFFF) >= SQRT2_MANTISSA_FLOAT64
    rank = np.clip(octave * BINS_PER_OCTAVE + upper + 1, 0, BINS_PER_SIGN)
    index = BINS_PER_SIGN + np.where(bits < 0, -rank, rank)
    return np.bincount(index, minlength=BIN_COUNT).astype(np.int64), flat.size - finite.size
