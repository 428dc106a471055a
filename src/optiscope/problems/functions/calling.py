"""Calling a user's own function: finds out in which way it takes points, and checks what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points

Manner = Literal["all points at once", "one point at a time"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """A callable that is known to take points, and in which manner."""

    of: Callable[..., Any]
    """What the user gave."""
    spread: bool
    """Whether it takes the coordinates as separate arguments, f(x, y), and not as one vector, f(x)."""
    manner: Manner
    """Whether it takes points with leading axes."""
    result: tuple[int, ...]
    """Shape of what it gives for one point: () for a value, (d,) for a gradient, (d, d) for a Hessian."""

    def __call__(self, x: Points) -> Float64[np.ndarray, "..."]:
        """What it gives at each point. Where it raises an arithmetic error (1/0, math.sqrt(−1)) that is NaN."""
        if self.manner == "all points at once":
            return np.asarray(self.apply(x), dtype=np.float64)
        rows = x.reshape(-1, x.shape[-1])
        results = np.empty((len(rows), *self.result))
        for i, row in enumerate(rows):
            try:
                results[i] = self.apply(row)
            except (ArithmeticError, ValueError):
                # The functions of `math` raise where those of NumPy return infinity or NaN.
                results[i] = np.nan
        return results.reshape((*x.shape[:-1], *self.result))

    def apply(self, x: Any) -> Any:
        """Call it with points in one array or tensor."""
        return call_with(self.of, x, spread=self.spread)


def call_with(function: Callable[..., Any], x: Any, *, spread: bool) -> Any:
    """f(x), or f(x₀, x₁, …) when it takes the coordinates as separate arguments."""
    return function(*(x[..., i] for i in range(x.shape[-1]))) if spread else function(x)


def takes_coordinates(function: Callable[..., Any], dimension: int) -> bool:
    """Whether the signature asks for as many positional arguments as there are coordinates, and more than one."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    required = [
        one
        for one in parameters
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty
    ]
    return len(required) == dimension > 1


def understand(
    function: object, examples: Float64[np.ndarray, "examples parameters"], result: tuple[int, ...], *, what: str
) -> Call:
    """Try `function` at one point, and then at several at once, in an array with two leading axes.

    It takes all points at once when that gives, in the right shape, what it gives one by one. The number of points
    differs from the number of coordinates, so that a callable that mixes the two up is found out.

    Args:
        function: what the user gave.
        examples: points; the first is the start, where the result has to be finite.
        result: shape of what has to come back for one point.
        what: what the function is, for messages: "function", "gradient" or "hessian".

    Raises `ArgumentError` when it is not callable, raises (that error is chained), or returns something else than
    finite numbers in that shape.
    """
    if not callable(function):
        raise ArgumentError(f"The {what} is something that can be called with a point. Received: {function!r}.")
    dimension = examples.shape[-1]
    single = Call(
        of=function, spread=takes_coordinates(function, dimension), manner="one point at a time", result=result
    )
    start = examples[0]
    try:
        first = single.apply(start.copy())
    except Exception as error:
        raise ArgumentError(
            f"The {what} raised {type(error).__name__} at the start, {start.tolist()}: {error}. It is called with "
            f"{_arguments(single, dimension)}. Received: {_name(function)}."
        ) from error
    _check(first, start, result, what)
    several = np.resize(examples, (2 * (dimension + 1), dimension)).reshape(2, dimension + 1, dimension)
    at_once = Call(of=function, spread=single.spread, manner="all points at once", result=result)
    try:
        together = np.asarray(at_once.apply(several.copy()), dtype=np.float64)
    except Exception:
        return single
    if together.shape != (*several.shape[:-1], *result):
        return single
    one_by_one = single(several)
    scale = np.abs(one_by_one[np.isfinite(one_by_one)]).max(initial=0)
    agree = np.allclose(together, one_by_one, rtol=1e-9, atol=1e-12 * scale, equal_nan=True)
    return at_once if agree else single


def _check(value: Any, start: Float64[np.ndarray, " parameters"], result: tuple[int, ...], what: str) -> None:
    wanted = "one number" if result == () else f"an array of shape {result}"
    try:
        array = np.asarray(value, dtype=np.float64)
    except Exception as error:
        raise ArgumentError(f"The {what} returns {wanted} for a point. Received: {value!r}.") from error
    if array.shape != result:
        raise ArgumentError(
            f"The {what} returns {wanted} for a point of {len(start)} coordinates. Received: shape {array.shape} at "
            f"{start.tolist()}."
        )
    if not np.isfinite(array).all():
        raise ArgumentError(
            f"The {what} is not finite at the start, {start.tolist()}: nothing could move from there. Choose another "
            f"start. Received: {array.tolist()}."
        )


def _arguments(call: Call, dimension: int) -> str:
    if call.spread:
        return f"its {dimension} coordinates as separate arguments, as its signature asks"
    return f"one array of shape ({dimension},), or any leading axes before the {dimension}"


def _name(function: object) -> str:
    return getattr(function, "__qualname__", repr(function))
