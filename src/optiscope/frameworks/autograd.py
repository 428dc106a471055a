"""The derivatives of a user's own function by a framework's automatic differentiation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points, Values
from optiscope.problems.functions.calling import (
    Refused,
    as_numbers,
    call_with,
    check_at_start,
    fault_of,
    is_undefined,
    not_callable,
    raised_at,
    takes_coordinates,
)
from optiscope.problems.functions.derivatives import FiniteDifferences
from optiscope.problems.functions.function import Matrices

Manner = Literal["all points at once", "one point at a time"]
Apply = Callable[[Any], Any]
"""From a tensor with points to a tensor with a number for each."""


class Autograd(Protocol):
    """What a framework has to offer. Arrays are float64; tensors too, on the CPU."""

    @property
    def name(self) -> str:
        """Name by which the framework is imported."""
        ...

    def tensor(self, numbers: Any) -> Any:
        """A constant."""
        ...

    def is_tensor(self, value: object) -> bool:
        """Whether it is a tensor of this framework."""
        ...

    def array(self, tensor: Any) -> Any:
        """The numbers of a tensor, as an array."""
        ...

    def stack(self, tensors: list[Any]) -> Any:
        """Tensors of shape () as one vector."""
        ...

    def value(self, apply: Apply, x: Points) -> Any:
        """What `apply` gives for a tensor, made of x, that gradients are taken by."""
        ...

    def gradient(self, apply: Apply, x: Points) -> Points | None:
        """The derivative of the sum of what `apply` gives; None when it cannot be followed back to x."""
        ...

    def hessian(self, apply: Apply, x: Points) -> Matrices:
        """The derivative of `gradient`: zero where it does not depend on x."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class AutogradDerivatives:
    """∂f/∂xᵢ by one backward pass through f, and ∂²f/∂xᵢ∂xⱼ by another through that; in float64 on the CPU.

    Where the framework cannot differentiate the function twice, the Hessian is made of differences of the gradient.
    """

    by: Autograd
    """The framework."""
    function: Callable[..., Any]
    """Takes a tensor with a point along the last axis, or its coordinates, and gives a tensor."""
    spread: bool
    """Whether it takes the coordinates as separate arguments."""
    manner: Manner = "one point at a time"
    """Whether it takes points with leading axes."""
    twice: bool = True
    """Whether the framework can differentiate it twice."""

    @property
    def source(self) -> str:
        """Such as "autograd (torch)"."""
        return f"autograd ({self.by.name})"

    def value(self, x: Points) -> Values:
        """f at each point."""
        values: Values = self._computed(lambda apply, at: self.by.array(self.by.value(apply, at)), x, ())
        return values

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point: each value depends on its own point alone, and so does that part of the sum's."""

        def compute(apply: Apply, at: Points) -> Points:
            gradient = self.by.gradient(apply, at)
            return np.zeros_like(at) if gradient is None else gradient

        gradients: Points = self._computed(compute, x, x.shape[-1:])
        return gradients

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        if not self.twice:
            return FiniteDifferences(evaluate=self.value, exact_gradient=self.gradient).hessian(x)
        matrices = self._computed(self.by.hessian, x, 2 * x.shape[-1:])
        symmetric: Matrices = (matrices + np.swapaxes(matrices, -1, -2)) / 2
        return symmetric

    def _computed(self, compute: Callable[[Apply, Points], Any], x: Points, result: tuple[int, ...]) -> Any:
        shape = (*x.shape[:-1], *result)
        if self.manner == "all points at once":
            try:
                return np.asarray(compute(self._all_of(x.shape[:-1]), x), dtype=np.float64).reshape(shape)
            except Exception:
                # Which point is to blame is found out one by one.
                return replace(self, manner="one point at a time")._computed(compute, x, result)
        points = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
        if len(points) == 0:
            return np.empty(shape)
        try:
            return np.asarray(compute(self._each_of(points), points), dtype=np.float64).reshape(shape)
        except ArgumentError:
            raise
        except Exception as error:
            raise Refused(
                f"The function cannot be differentiated by {self.source}: {type(error).__name__}: {error}. Say "
                f"gradient='finite differences'. Received: {points.tolist()}.",
                fault=fault_of(error),
            ) from error

    def _all_of(self, shape: tuple[int, ...]) -> Apply:
        def apply(tensor: Any) -> Any:
            values = call_with(self.function, tensor, spread=self.spread)
            if not self.by.is_tensor(values) or tuple(values.shape) != shape:
                raise TypeError("not one number for each point")
            return values

        return apply

    def _each_of(self, points: Float64[np.ndarray, "points parameters"]) -> Apply:
        def apply(tensor: Any) -> Any:
            return self.by.stack([self._at(tensor[i], point) for i, point in enumerate(points)])

        return apply

    def _at(self, tensor: Any, point: Float64[np.ndarray, " parameters"]) -> Any:
        try:
            value = call_with(self.function, tensor, spread=self.spread)
        except Exception as error:
            if not is_undefined(error):
                raise raised_at(point, error, "function", self.function) from error
            value = float("nan")
        if self.by.is_tensor(value) and tuple(value.shape) == ():
            return value
        numbers = self.by.array(value) if self.by.is_tensor(value) else value
        return self.by.tensor(as_numbers(numbers, point, (), "function"))


def autograd_derivatives(
    by: Autograd, function: Callable[..., Any], examples: Float64[np.ndarray, "examples parameters"]
) -> AutogradDerivatives:
    """Derivatives of `function` by autograd, after trying it at the examples, of which the first is the start.

    Raises `ArgumentError` when it cannot be differentiated so: it raises on tensors, gives no tensor of one number,
    or one that autograd cannot follow back to the point; for a value or gradient that is not finite at the start, and
    for a function that is random.
    """
    if not callable(function):
        raise not_callable(function, "function")
    spread, start = takes_coordinates(function, examples.shape[-1]), examples[0]
    single = AutogradDerivatives(by=by, function=function, spread=spread)
    with warnings.catch_warnings():
        # PyTorch warns when a tensor is turned into a number; what follows raises in that case.
        warnings.simplefilter("ignore")
        try:
            first, second = (by.value(lambda x: call_with(function, x, spread=spread), start) for _ in range(2))
        except Exception as error:
            raise Refused(
                f"The function raised {type(error).__name__} when called with a {by.name} tensor: {error}. Autograd "
                "needs a function of tensors; one of NumPy arrays works with gradient='finite differences'.",
                fault=fault_of(error),
            ) from error
        numbers = [by.array(value) if by.is_tensor(value) else value for value in (first, second)]
        check_at_start(numbers[0], numbers[1], start, (), "function")
        if not by.is_tensor(first):
            raise Refused(
                "For autograd the function returns one number as a tensor of shape (), made by operations of "
                f"{by.name}. Received: {first!r}.",
                fault="no tensor",
            )
        _check_gradient(single, start)
    single = replace(single, twice=_can_be_differentiated_twice(single, examples))
    return _at_once_if_possible(single, examples)


def _check_gradient(single: AutogradDerivatives, start: Float64[np.ndarray, " parameters"]) -> None:
    name = single.by.name
    try:
        gradient = single.by.gradient(lambda x: call_with(single.function, x, spread=single.spread), start)
    except Exception as error:
        raise Refused(
            f"Autograd raised {type(error).__name__}: {error}. Use operations of {name} throughout, or say "
            "gradient='finite differences'.",
            fault=fault_of(error),
        ) from error
    if gradient is None:
        raise Refused(
            "Autograd cannot follow the function's value back to the point: somewhere the tensor is detached, or "
            f"turned into a number. Use operations of {name} throughout. Received: {single.value(start)!r}.",
            fault="detached",
        )
    if not np.isfinite(gradient).all():
        raise Refused(
            f"The gradient is not finite at the start, {start.tolist()}: nothing could move from there. Choose another "
            f"start. Received: {gradient.tolist()}.",
            fault="gradient not finite",
        )


def _can_be_differentiated_twice(
    single: AutogradDerivatives, examples: Float64[np.ndarray, "examples parameters"]
) -> bool:
    """Not when it raises; nor when it is far from differences of the gradient at most of the examples.

    A backward pass written for one derivative alone cuts the second off, which then is zero without a word.
    """
    try:
        exact = single.hessian(examples)
    except Exception:
        return False
    differences = replace(single, twice=False).hessian(examples)
    size = np.abs(differences).max(axis=(-1, -2))
    apart = np.abs(exact - differences).max(axis=(-1, -2)) > 0.1 * size + 1e-7
    return bool(apart.mean() <= 0.5)


def _at_once_if_possible(
    single: AutogradDerivatives, examples: Float64[np.ndarray, "examples parameters"]
) -> AutogradDerivatives:
    """The number of points differs from the number of coordinates, so that mixing the two up is found out."""
    dimension = examples.shape[-1]
    several = np.resize(examples, (2 * (dimension + 1), dimension)).reshape(2, dimension + 1, dimension)
    at_once = replace(single, manner="all points at once")
    try:
        at_once.by.value(at_once._all_of(several.shape[:-1]), several)
    except Exception:
        return single
    pairs = [(at_once.value(several), single.value(several)), (at_once.gradient(several), single.gradient(several))]
    same = all(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in pairs)
    return at_once if same else single
