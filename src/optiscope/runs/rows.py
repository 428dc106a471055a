"""What the training thread hands to the writer: a position and the values there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Position:
    """Where on the timelines of a run something was recorded."""

    step: int
    """Optimizer steps completed. 0 is the start."""
    seconds: float
    """Time since the run began, in seconds; goes on counting in a resumed run."""
    epoch: float | None = None
    """Passes over the data, may be fractional; None when nobody said."""
    samples: float | None = None
    """Samples seen; None when nobody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One recording of one source: all of its quantities at one position.

    A value is a number, or a one-dimensional array with one element per label. In rows of histograms it is an integer
    array [labels, bins], and the value named "<kind>/nonfinite" (one integer per label) goes with it.
    """

    source: str
    """Who measured, such as "layers" or "histograms". Rows of one source and one shape share a file."""
    position: Position
    """Where on the timelines."""
    values: Mapping[str, float | NDArray[np.generic]]
    """Quantity by name."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each array its labels (parameters or parameter groups), by the name of the value."""
    edges: Float[np.ndarray, " bins+1"] | None = None
    """Bin edges of the histograms, ascending. None means the fixed edges of the run format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Many recordings of one source with the same quantities: what a `Row` is to one, as columns.

    It is written without a look at the single row, which matters where a row is recorded every few milliseconds.
    """

    source: str
    """Who measured."""
    positions: Sequence[Position]
    """Where on the timelines, for each row. All have the same timelines."""
    places: Sequence[int]
    """Where each row stands among all rows of its job, counted from 0: rows of several blocks may interleave."""
    values: Mapping[str, NDArray[np.floating[Any]]]
    """Quantity by name: [rows], or [rows, labels]."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each two-dimensional value its labels."""

    def first_row(self) -> Row:
        """The first row by itself."""
        values = {name: column[0] for name, column in self.values.items()}
        return Row(source=self.source, position=self.positions[0], values=values, labels=self.labels)


@runtime_checkable
class PendingValue(Protocol):
    """A number that is still on its way, such as a transfer from an accelerator."""

    def resolve(self) -> float:
        """Wait for the number. Called on the writer's thread, never on the training thread."""
        ...
