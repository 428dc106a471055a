"""What can be minimised: one protocol for a two-dimensional test function and for a network with its data."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "*batch parameters"]
"""Flat parameter vectors, with any number of leading axes."""
Values = Float[np.ndarray, "*batch"]
"""One number for each point."""


class Objective(Protocol):
    """A loss over a flat parameter vector. Every method takes any number of leading axes."""

    @property
    def dimension(self) -> int:
        """Length of the parameter vector."""
        ...

    def value(self, x: Points) -> Values:
        """The loss at each point."""
        ...

    def gradient(self, x: Points) -> Points:
        """∂loss/∂x at each point."""
        ...

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²loss/∂x² · v at each point."""
        ...
