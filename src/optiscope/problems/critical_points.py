"""Critical points of a function: where its gradient is zero, classified by the Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Kind = Literal["minimum", "maximum", "saddle", "degenerate"]
"""By the signs of the Hessian's eigenvalues: all positive, all negative, mixed, or one of them zero."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CriticalPoint:
    """A point with gradient zero."""

    point: Float[np.ndarray, " parameters"]
    """Where it is."""
    value: float
    """The function there."""
    eigenvalues: Float[np.ndarray, " parameters"]
    """Of the Hessian, ascending."""
    kind: Kind
    """What it is."""
