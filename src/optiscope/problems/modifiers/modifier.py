"""What every modifier is: a function made of another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.function import Function, Matrices


@dataclass(frozen=True, kw_only=True, eq=False)
class Modifier(Function):
    """`base` as it is, under a name that says what was done to it. Subclasses change some of it."""

    change: ClassVar[str]
    """What is added to the name, in a word or two: "noise"."""

    base: Function
    """What is modified; perhaps a modifier itself."""

    def __post_init__(self) -> None:
        if not isinstance(self.base, Function):
            raise ArgumentError(
                f"A modifier changes a function, such as function('rosenbrock'). Received: base={self.base!r}."
            )

    @property
    def name(self) -> str:  # type: ignore[override]  # a class attribute in closed-form functions
        """Such as "rosenbrock + noise"."""
        return f"{self.base.name} + {self.change}"

    @property
    def title(self) -> str:  # type: ignore[override]  # the same
        """Such as "Rosenbrock + noise"."""
        return f"{self.base.title} + {self.change}"

    @property
    def formula(self) -> str:  # type: ignore[override]  # the same
        """The formula of `base`, in its own coordinates."""
        return self.base.formula

    @property
    def source(self) -> str:  # type: ignore[override]  # the same
        """The source of `base`."""
        return self.base.source

    @property
    def gradient_source(self) -> str:  # type: ignore[override]  # the same
        """How the gradient of `base` is had."""
        return self.base.gradient_source

    @property
    def depth(self) -> int:
        """Number of modifiers from here down; random ones draw from a stream of that number, so they do not agree."""
        return 1 + (self.base.depth if isinstance(self.base, Modifier) else 0)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.base.dimension

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the domain along each coordinate."""
        return self.base.bounds

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """The customary start."""
        return self.base.start

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The known global minimum points."""
        return self.base.minima

    @property
    def minimum(self) -> float:
        """The smallest value: no modifier changes values, only where they are."""
        return self.base.minimum

    def value(self, x: Points) -> Values:
        """f at each point."""
        return self.base.value(x)

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        return self.base.gradient(x)

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        return self.base.hessian(x)

    def hessian_vector_product(self, x: Points, v: Points) -> Points:
        """∂²f/∂x² · v at each point."""
        return self.base.hessian_vector_product(x, v)

    @property
    def depends_on_seed(self) -> bool:
        """Whether `base` does."""
        return self.base.depends_on_seed

    def stochastic_gradient(self, x: Points, *, step: int, seeds: Int64[np.ndarray, "*#batch"]) -> Points:
        """What an optimizer sees in place of the gradient."""
        return self.base.stochastic_gradient(x, step=step, seeds=seeds)
