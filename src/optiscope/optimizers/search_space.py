"""Ranges in which tuning looks for a setting: each maps the unit interval onto the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

Unit = Float[np.ndarray, "*n"]
"""Numbers in [0, 1]."""


@dataclass(frozen=True)
class Uniform:
    """Evenly between `low` and `high`."""

    low: float
    high: float

    def at(self, unit: Unit) -> Unit:
        """The values at these places of the range."""
        return self.low + (self.high - self.low) * unit

    def place(self, value: Unit) -> Unit:
        """The inverse of `at`."""
        return (np.asarray(value) - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class LogUniform:
    """Evenly in the logarithm between `low` and `high`, both > 0: for learning rates and ε."""

    low: float
    high: float

    def at(self, unit: Unit) -> Unit:
        """The values at these places of the range."""
        value: Unit = self.low * (self.high / self.low) ** np.asarray(unit)
        return value

    def place(self, value: Unit) -> Unit:
        """The inverse of `at`."""
        place: Unit = np.log(np.asarray(value) / self.low) / np.log(self.high / self.low)
        return place


@dataclass(frozen=True)
class OneMinusLogUniform:
    """1 − z with z even in the logarithm between 1 − `high` and 1 − `low`: for decay factors near one."""

    low: float
    high: float

    def at(self, unit: Unit) -> Unit:
        """The values at these places of the range."""
        return 1 - LogUniform(1 - self.high, 1 - self.low).at(1 - np.asarray(unit))

    def place(self, value: Unit) -> Unit:
        """The inverse of `at`."""
        return 1 - LogUniform(1 - self.high, 1 - self.low).place(1 - np.asarray(value))


Range: TypeAlias = Uniform | LogUniform | OneMinusLogUniform
"""Any of them."""

LEARNING_RATE = LogUniform(1e-6, 1e1)
"""The range in which every rule's learning rate is looked for, unless its scale differs by its nature."""
DECAY = OneMinusLogUniform(0.5, 0.9999)
"""The range of decay factors such as β₂."""
MOMENTUM = OneMinusLogUniform(0.2, 0.995)
"""The range of momentum and β₁."""
