"""A user's own function from a Python callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError, UnknownName
from optiscope.objectives import Points, Values
from optiscope.problems.functions.calling import understand
from optiscope.problems.functions.derivatives import Derivatives, FiniteDifferences
from optiscope.problems.functions.function import Function, Matrices

Way: TypeAlias = Literal["finite differences"] | Callable[..., Any]
"""How to get a derivative: by differences, or from a callable that gives it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Domain:
    """Where an own function lives, and what is known of it."""

    bounds: Float64[np.ndarray, "parameters 2"]
    """Lower and upper end along each coordinate."""
    start: Float64[np.ndarray, " parameters"]
    """Where to start."""
    minima: Float64[np.ndarray, "minima parameters"]
    """Known minimum points; no rows when none is known."""
    minimum: float
    """The smallest value; NaN when it is not known."""

    @property
    def examples(self) -> Float64[np.ndarray, "examples parameters"]:
        """The start, and some points between it and the ends, to try a callable at."""
        shares = np.array([0.0, 0.11, 0.23, 0.37, 0.53, 0.71])[:, np.newaxis]
        corner = np.where(np.arange(len(self.start)) % 2 == 0, self.bounds[:, 1], self.bounds[:, 0])
        examples: Float64[np.ndarray, "examples parameters"] = self.start + shares * (corner - self.start)
        return examples


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnFunction(Function):
    """What `function_of` gives: a callable with derivatives, a domain and a name."""

    name: str  # type: ignore[misc]  # a class attribute in closed-form functions, here it belongs to the object
    title: str  # type: ignore[misc]  # the same
    formula: str  # type: ignore[misc]  # the same
    source: str  # type: ignore[misc]  # the same
    domain: Domain
    """Bounds, start and minima."""
    derivatives: Derivatives
    """Value, gradient and Hessian."""

    @property
    def gradient_source(self) -> str:  # type: ignore[override]  # the same
        """How the gradient is had."""
        return self.derivatives.source

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.domain.start)

    @property
    def bounds(self) -> Float[np.ndarray, "parameters 2"]:
        """Lower and upper end of the domain along each coordinate."""
        return self.domain.bounds.copy()

    @property
    def start(self) -> Float[np.ndarray, " parameters"]:
        """Where to start."""
        return self.domain.start.copy()

    @property
    def minima(self) -> Float[np.ndarray, "minima parameters"]:
        """The known global minimum points."""
        return self.domain.minima.copy()

    @property
    def minimum(self) -> float:
        """The smallest value, as far as it is known."""
        return self.domain.minimum

    def value(self, x: Points) -> Values:
        """f at each point, computed in float64."""
        values: Values = self._computed(self.derivatives.value, x)
        return values

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point, computed in float64."""
        result: Points = np.empty_like(x)
        result[...] = self._computed(self.derivatives.gradient, x)
        return result

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point, computed in float64."""
        matrices: Matrices = self._computed(self.derivatives.hessian, x)
        return matrices

    @staticmethod
    def _computed(compute: Callable[[Points], Any], x: Points) -> Any:
        return np.asarray(compute(x.astype(np.float64))).astype(x.dtype)[()]


def function_of(
    callable: Callable[..., Any],  # noqa: A002  # what it is
    *,
    dimension: int = 2,
    bounds: ArrayLike | None = None,
    start: ArrayLike | None = None,
    minima: ArrayLike | None = None,
    minimum: float | None = None,
    gradient: Way = "finite differences",
    hessian: Way = "finite differences",
    name: str | None = None,
) -> OwnFunction:
    """A function to race on from a Python callable, with derivatives by differences or from callables.

    The callable takes one point, an array of shape (dimension,), or its coordinates as separate arguments; and gives
    one number. If it also takes arrays with leading axes, `f(x)` with x[..., i] as the i-th coordinate, that is found
    out by trying, and everything is much faster. For gradients by autograd see
    `optiscope.experiments.own_function.own_function`.

    Args:
        callable: the function.
        dimension: number of coordinates.
        bounds: lower and upper end of the domain along each coordinate, shape (dimension, 2), or one pair for all.
            Default: [−5, 5].
        start: where to start. Default: three quarters of the way from the lower to the upper end.
        minima: known minimum points, one a row.
        minimum: the smallest value. Default: the value at the first of the `minima`, or not known.
        gradient: "finite differences", or a callable from a point to its gradient.
        hessian: "finite differences" (of the gradient), or a callable from a point to its Hessian.
        name: for titles. Default: that of the callable.

    Raises `ArgumentError` before anything is run for a callable that raises, returns something else than one finite
    number at the start; for a gradient that differs from finite differences; and for bounds, a start or minima that
    do not fit.
    """
    domain = check_domain(dimension=dimension, bounds=bounds, start=start, minima=minima)
    with np.errstate(all="ignore"):
        evaluate = understand(callable, domain.examples, (), what="function")
        derivatives: Derivatives = FiniteDifferences(evaluate=evaluate)
        if gradient != "finite differences":
            known = understand(_way(gradient, "gradient"), domain.examples, (dimension,), what="gradient")
            _check_gradient(derivatives.gradient(domain.examples), known(domain.examples), domain.examples)
            derivatives = FiniteDifferences(evaluate=evaluate, exact_gradient=known, source="given")
        if hessian != "finite differences":
            matrix = understand(_way(hessian, "hessian"), domain.examples, (dimension, dimension), what="hessian")
            derivatives = WithHessian(of=derivatives, exact_hessian=matrix)
        return finish(callable, domain, derivatives, minimum=minimum, name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class WithHessian:
    """Derivatives whose Hessian is given by a callable."""

    of: Derivatives
    """Value and gradient."""
    exact_hessian: Callable[[Points], Matrices]
    """∂²f/∂xᵢ∂xⱼ, for points with any leading axes."""

    @property
    def source(self) -> str:
        """How the gradient is had."""
        return self.of.source

    def value(self, x: Points) -> Values:
        """f at each point."""
        return self.of.value(x)

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        return self.of.gradient(x)

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        return self.exact_hessian(x)


def _check_gradient(differences: Points, given: Points, examples: Float64[np.ndarray, "examples parameters"]) -> None:
    """Raise `ArgumentError` when a given gradient is wrong at most of the examples: at one there may be a kink."""
    size = np.abs(differences).max(axis=-1)
    apart = np.abs(differences - given).max(axis=-1) > 1e-4 * size + 1e-7
    if apart.mean() > 0.5:
        i = int(np.argmax(apart))
        raise ArgumentError(
            "The gradient is not the derivative of the function: compare with finite differences. "
            f"Received: {given[i].tolist()} at {examples[i].tolist()}, where the differences give "
            f"{differences[i].tolist()}."
        )


def finish(
    function: Callable[..., Any], domain: Domain, derivatives: Derivatives, *, minimum: float | None, name: str | None
) -> OwnFunction:
    """Put an own function together; the minimum, when it is not given, is the value at the first known point of it."""
    if minimum is None:
        minimum = float(derivatives.value(domain.minima[0])) if len(domain.minima) else float("nan")
    known = Domain(bounds=domain.bounds, start=domain.start, minima=domain.minima, minimum=float(minimum))
    given = name if name is not None else getattr(function, "__name__", type(function).__name__)
    title = "own function" if given == "<lambda>" else given
    documentation = (getattr(function, "__doc__", None) or "").strip().partition("\n")[0]
    return OwnFunction(
        name=title.replace(" ", "_"),
        title=title,
        formula=documentation if documentation and not isinstance(function, type) else f"{title}(x)",
        source="Given by the user.",
        domain=known,
        derivatives=derivatives,
    )


def check_domain(
    *, dimension: int, bounds: ArrayLike | None, start: ArrayLike | None, minima: ArrayLike | None
) -> Domain:
    """Bring what was given into shape, or raise `ArgumentError`."""
    if type(dimension) is not int or dimension < 1:
        raise ArgumentError(f"The dimension is a whole number, at least 1. Received: dimension={dimension!r}.")
    box = _numbers(bounds if bounds is not None else (-5.0, 5.0), "bounds")
    if box.shape not in ((2,), (dimension, 2)):
        raise ArgumentError(
            f"Bounds are one pair (lower, upper), or one for each of {dimension} coordinates. "
            f"Received: shape {box.shape}."
        )
    box = np.broadcast_to(box, (dimension, 2)).copy()
    if not (box[:, 0] < box[:, 1]).all():
        raise ArgumentError(f"Each lower bound is below the upper one. Received: {box.tolist()}.")
    first = _numbers(start, "start") if start is not None else box @ np.array([0.25, 0.75])
    if first.shape != (dimension,):
        raise ArgumentError(f"The start has {dimension} coordinates. Received: shape {first.shape}.")
    points = _numbers(minima, "minima") if minima is not None else np.empty((0, dimension))
    points = points[np.newaxis] if points.shape == (dimension,) else points
    if points.ndim != 2 or points.shape[1] != dimension:
        raise ArgumentError(f"Minima are points of {dimension} coordinates, one a row. Received: shape {points.shape}.")
    return Domain(bounds=box, start=first, minima=points, minimum=float("nan"))


def _numbers(given: ArrayLike, what: str) -> Float64[np.ndarray, "..."]:
    try:
        numbers = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The {what} are made of numbers. Received: {given!r}.") from error
    if not np.isfinite(numbers).all():
        raise ArgumentError(f"The {what} are finite. Received: {given!r}.")
    return numbers


def _way(given: object, what: str) -> object:
    if isinstance(given, str):
        raise UnknownName.among(given, ["finite differences"], kind=f"way to get the {what} here (or a callable)")
    return given
