"""What a measured quantity is: a name, a declared cost, and a formula over reductions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float

from optiscope.recording.reductions import Reduced, Reduction

PerTensor = Callable[[Reduced], Float[np.ndarray, "rows tensors"]]
Whole = Callable[[Reduced], Float[np.ndarray, " rows"]]


class Cost(IntEnum):
    """What measuring costs; the budget thins the dear ones first."""

    CHEAP = 0
    """Reads tensors that are there anyway."""
    MODERATE = 1
    """Needs a copy of the weights around the step."""
    DEAR = 2
    """Several passes, or a lasting copy of the parameters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantity:
    """One measured thing, per parameter tensor and for all of them together."""

    name: str
    """Name of the series in the run."""
    formula: str
    """What it is, with g the gradient that entered the step, θ the weights after it, Δθ the update."""
    cost: Cost
    """Declared cost class."""
    needs: frozenset[Reduction]
    """Reductions that the formulas read."""
    per_tensor: PerTensor
    """Formula for each parameter tensor."""
    whole: Whole
    """Formula for all parameters as one long vector."""
    core: bool = True
    """Whether it is recorded unless asked otherwise."""


def cosine(
    product: Float[np.ndarray, "..."], first: Float[np.ndarray, "..."], second: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """product / (first · second), within [−1, 1]; NaN where a norm is zero, since a zero vector has no direction."""
    return np.asarray(np.clip(product / first / second, -1.0, 1.0))
