"""The sums over the elements of each parameter tensor from which every core quantity is computed.

An adapter computes reductions on the device, next to the tensors; quantities are formulas over reductions and run in
NumPy on the writer thread. So a new quantity usually needs no change in any adapter, and a new adapter needs to
implement this one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from jaxtyping import Bool, Float


class Reduction(Enum):
    """One number per parameter tensor; g is the gradient that entered the step, θ the weights after it, Δθ the update.

    The value is (name, passes): `passes` is the cost in reads or writes of a tensor as large as the parameters.
    """

    GRADIENT_NORM = ("gradient_norm", 1.0)
    """‖g‖₂"""
    GRADIENT_SUM = ("gradient_sum", 1.0)
    """Σ g"""
    GRADIENT_SPREAD = ("gradient_spread", 3.0)
    """Σ (g − mean g)². Beware: Σ g² − (Σ g)²/n loses every digit where the mean is much larger than the spread."""
    GRADIENT_ZEROS = ("gradient_zeros", 2.0)
    """Number of elements of g that are exactly zero."""
    GRADIENT_NONFINITE = ("gradient_nonfinite", 1.0)
    """Number of elements of g that are NaN or infinite."""
    GRADIENT_DOT_PREVIOUS = ("gradient_dot_previous", 4.0)
    """⟨g, g of the step before⟩; costs a copy of g on the step before."""
    PREVIOUS_GRADIENT_NORM = ("previous_gradient_norm", 1.0)
    """‖g of the step before‖₂"""
    WEIGHT_NORM = ("weight_norm", 1.0)
    """‖θ‖₂"""
    UPDATE_NORM = ("update_norm", 5.0)
    """‖Δθ‖₂; costs a copy of the weights before the step."""
    UPDATE_DOT_GRADIENT = ("update_dot_gradient", 2.0)
    """⟨Δθ, g⟩"""
    START_DISTANCE = ("start_distance", 3.0)
    """‖θ − θ at the start‖₂; costs a lasting copy of the weights at the start."""
    RAW_GRADIENT_NORM = ("raw_gradient_norm", 1.0)
    """‖g as the backward pass left it‖₂, before any unscaling or clipping."""

    # Members are compared by identity, so may be hashed by it; Enum's own hash runs in Python, a hundred times a step.
    __hash__ = object.__hash__

    @property
    def passes(self) -> float:
        """Cost in passes over the parameters."""
        return self.value[1]


NEEDS_WEIGHTS_BEFORE = frozenset({Reduction.UPDATE_NORM, Reduction.UPDATE_DOT_GRADIENT})
"""Reductions for which an adapter must copy the weights before the step."""

NEEDS_PREVIOUS_GRADIENT = frozenset({Reduction.GRADIENT_DOT_PREVIOUS, Reduction.PREVIOUS_GRADIENT_NORM})
"""Reductions for which an adapter must have kept the gradient of the step before."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduced:
    """Reductions of several steps, measured with the same plan."""

    values: Mapping[Reduction, Float[np.ndarray, "rows tensors"]]
    """float64. NaN where a tensor had no gradient (see `present`)."""
    present: Bool[np.ndarray, "rows tensors"]
    """Whether the tensor had a gradient at that step."""
    sizes: Float[np.ndarray, " tensors"]
    """Number of elements of each tensor."""

    def __getitem__(self, reduction: Reduction) -> Float[np.ndarray, "rows tensors"]:
        return self.values[reduction]

    @property
    def elements(self) -> Float[np.ndarray, " rows"]:
        """Number of elements, over the tensors that have a gradient."""
        return np.asarray(np.where(self.present, self.sizes, 0.0).sum(axis=1))

    def total(self, reduction: Reduction) -> Float[np.ndarray, " rows"]:
        """Sum over the tensors that have a gradient: a missing gradient counts as nothing, a NaN one as NaN."""
        return np.asarray(np.where(self.present, self.values[reduction], 0.0).sum(axis=1))

    def total_norm(self, reduction: Reduction) -> Float[np.ndarray, " rows"]:
        """Norm of all gradients together, from the norm of each; a missing one counts as nothing."""
        return _norm_of_norms(np.where(self.present, self.values[reduction], 0.0))

    def whole_norm(self, reduction: Reduction) -> Float[np.ndarray, " rows"]:
        """Norm of all tensors together, with or without a gradient: for weights and updates."""
        return _norm_of_norms(self.values[reduction])


def _norm_of_norms(norms: Float[np.ndarray, "rows tensors"]) -> Float[np.ndarray, " rows"]:
    """√Σ norms² along the last axis, scaled by the largest so that no square over- or underflows."""
    largest = norms.max(axis=1, initial=0.0, keepdims=True)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return np.asarray(scale[:, 0] * np.sqrt(np.square(norms / scale).sum(axis=1)))
