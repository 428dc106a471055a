"""What every closed-form function has: formula, domain, known minima, value, gradient and Hessian."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int64

from optiscope.objectives import Points, Values

Matrices = Float[np.ndarray, "*batch parameters parameters"]
"""One square matrix for each point."""


class Function(ABC):
    """A function from a flat vector of `dimension` numbers to one number, with its derivatives.

    `value`, `gradient` and `hessian` take points with any number of leading axes, keep the dtype of floating-point
    input, and never change it. Beyond what floating point can hold they return infinity or NaN; whether NumPy warns of
    that is the caller's choice, by `np.errstate`.

    It satisfies `optiscope.objectives.Objective`. A subclass is a frozen dataclass; what can be chosen (such as the
    dimension) is a field of it.
    """

    name: ClassVar[str]
    """Name by which it is asked for, such as "rosenbrock"."""
    title: ClassVar[str]
    """Name for titles, such as "Rosenbrock"."""
    formula: ClassVar[str]
    """The formula in Unicode, with x₀, x₁ … as coordinates."""
    source: ClassVar[str]
    """Where the function comes from: author, year, and where its minima are stated or how they were derived."""
    gradient_source: str = "closed form"
    """How the gradient is had: "closed form", "autograd (torch)" or "finite differences"."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates."""

    @property
    @abstractmethod
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the customary domain along each coordinate. The function goes on outside."""

    @property
    @abstractmethod
    def start(self) -> Float[np.ndarray, " parameters"]:
        """A customary start that is not near a minimum and at which the gradient is not zero."""

    @property
    @abstractmethod
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The known global minimum points in the domain, one a row; no rows when there is none or none is known.

        For a function with a continuum, or very many, of global minima: those worth drawing; `source` says so.
        """

    @property
    @abstractmethod
    def minimum(self) -> float:
        """The smallest value in the domain; −inf when the function is unbounded below, NaN when it is not known."""

    @abstractmethod
    def value(self, x: Points) -> Values:
        """f at each point."""

    @abstractmethod
    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""

    @abstractmethod
    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point."""
        product: Points = np.einsum("...ij,...j->...i", self.hessian(x), v)
        return product

    @property
    def depends_on_seed(self) -> bool:
        """Whether `stochastic_gradient` is another with another seed."""
        return False

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """What an optimizer sees in place of the gradient at its `step` (from 0): the gradient itself, without noise.

        Modifiers and problems with mini-batches override this. What is random depends on the seed and the step alone,
        never on the point or on what else is evaluated: with the same seed all optimizers meet the same noise.

        Args:
            x: points.
            step: number of completed steps.
            seeds: one seed for each point, broadcastable to the leading axes of `x`.
        """
        del step, seeds
        return self.gradient(x)
