"""The way of one optimizer from one start: what every picture of a race is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """Row k of an array is the state after k steps; rows after a divergence to infinity are NaN or infinite."""

    optimizer: str
    """Label of the optimizer, unique in its race."""
    seed: int
    """Seed of the noise it met."""
    points: Float[np.ndarray, "rows parameters"]
    """Parameters (their average, for rules that average them); steps + 1 rows, of which the first is the start."""
    losses: Float[np.ndarray, " rows"]
    """Exact value of the problem at each point."""
    gradients: Float[np.ndarray, "rows parameters"]
    """Exact gradient at each point."""
    effective_rates: Float[np.ndarray, "rows parameters"]
    """Learning rate of each coordinate in the step that led to each row; NaN in the first."""
    internals: Mapping[str, Float[np.ndarray, "rows parameters"]] = field(default_factory=dict)
    """Internal state by name, such as "momentum" and "second_moment" (see `Rule.internals`)."""
    probes: Float[np.ndarray, "rows parameters"] | None = None
    """Where the gradient for the next step is taken, for rules that look ahead; None for the others."""
    diverged_at: int | None = None
    """The first step that ends at a point that is not finite, or beyond the race's `bound`; None if none does."""
    ends_outside: bool = False
    """Whether the last point is outside the problem's domain, or not finite."""
    evaluations: int | None = None
    """How often the gradient was evaluated; None where it was once a step."""

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """Where it began."""
        start: Float[np.ndarray, " parameters"] = self.points[0]
        return start

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.points) - 1

    @property
    def label(self) -> str:
        """Name for legends."""
        return self.optimizer
