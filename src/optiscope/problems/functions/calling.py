"""Calling a user's own function: finds out in which way it takes points, and checks what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from optiscope.errors import ArgumentError
from optiscope.objectives import Points

Manner = Literal["all points at once", "one point at a time"]


class Refused(ArgumentError):
    """A callable that cannot be used."""

    def __init__(self, message: str, *, fault: str) -> None:
        """Say `message`; `fault` names what is wrong, in the same words whatever kind of array it was tried with."""
        super().__init__(message)
        self.fault = fault


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
    what: str = "function"
    """What it is, for messages: "function", "gradient" or "hessian"."""

    def __call__(self, x: Points) -> Float64[np.ndarray, "..."]:
        """What it gives at each point: NaN where it overflows, or leaves the domain of a function of `math`.

        Raises `ArgumentError` with the point where it raises anything else, or returns something of another shape.
        """
        shape = (*x.shape[:-1], *self.result)
        if self.manner == "all points at once":
            try:
                results = _real(np.asarray(self.apply(x)))
            except Exception:
                results = None
            if results is not None and results.shape == shape:
                return results
            # Which point is to blame is found out one by one.
        rows = x.reshape(-1, x.shape[-1])
        results = np.empty((len(rows), *self.result))
        for i, row in enumerate(rows):
            try:
                value = self.apply(row)
            except Exception as error:
                if not is_undefined(error):
                    raise raised_at(row, error, self.what, self.of) from error
                value = np.full(self.result, np.nan)
            results[i] = as_numbers(value, row, self.result, self.what)
        return results.reshape(shape)

    def apply(self, x: Any) -> Any:
        """Call it with points in one array or tensor."""
        return call_with(self.of, x, spread=self.spread)


def is_undefined(error: Exception) -> bool:
    """Whether the functions of `math`, or Python's numbers, raised this where those of NumPy give infinity or NaN."""
    if isinstance(error, ValueError):
        # The second is what Python 3.14 says, such as "expected a nonnegative input, got -1.0".
        return str(error).startswith(("math domain error", "math range error", "expected a "))
    return isinstance(error, OverflowError)


def raised_at(point: Float64[np.ndarray, " parameters"], error: Exception, what: str, function: object) -> Refused:
    """The error to raise for one that `function` raised at a point on the way."""
    return Refused(
        f"The {what} raised {type(error).__name__} at {point.tolist()}: {error}. An optimizer may go anywhere: where "
        f"there is no value, return NaN or infinity. Received: {_name(function)}.",
        fault=fault_of(error),
    )


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

    Raises `ArgumentError` when it is not callable, raises (that error is chained), returns something else than
    finite numbers in that shape, or something else each time.
    """
    if not callable(function):
        raise not_callable(function, what)
    dimension = examples.shape[-1]
    single = Call(
        of=function,
        spread=takes_coordinates(function, dimension),
        manner="one point at a time",
        result=result,
        what=what,
    )
    start = examples[0]
    try:
        first, second = single.apply(start.copy()), single.apply(start.copy())
    except Exception as error:
        raise Refused(
            f"The {what} raised {type(error).__name__} at the start, {start.tolist()}: {error}. It is called with "
            f"{_arguments(single, dimension)}. Received: {_name(function)}.",
            fault=fault_of(error),
        ) from error
    check_at_start(first, second, start, result, what)
    several = np.resize(examples, (2 * (dimension + 1), dimension)).reshape(2, dimension + 1, dimension)
    at_once = replace(single, manner="all points at once")
    try:
        together = _real(np.asarray(at_once.apply(several.copy())))
    except Exception:
        return single
    if together.shape != (*several.shape[:-1], *result):
        return single
    one_by_one = single(several)
    scale = np.abs(one_by_one[np.isfinite(one_by_one)]).max(initial=0)
    agree = np.allclose(together, one_by_one, rtol=1e-9, atol=1e-12 * scale, equal_nan=True)
    return at_once if agree else single


def not_callable(function: object, what: str) -> Refused:
    """The error for something that is no function at all."""
    return Refused(
        f"The {what} is something that can be called with a point. Received: {function!r}.", fault="not callable"
    )


def fault_of(error: Exception) -> str:
    """The fault of a callable that raised this."""
    # The same wrong index is told of in other words by each kind of array.
    return type(error).__name__ if isinstance(error, LookupError) else f"{type(error).__name__}: {error}"


def check_at_start(
    first: Any, second: Any, start: Float64[np.ndarray, " parameters"], result: tuple[int, ...], what: str
) -> None:
    """Raise `ArgumentError` unless both of two calls at the start gave the same finite, real numbers of that shape."""
    numbers = as_numbers(first, start, result, what)
    if np.iscomplexobj(first):
        raise Refused(
            f"The {what} returned a complex number at the start, {start.tolist()}: what is minimised is real. Take "
            f"its real part, or its absolute value. Received: {np.asarray(first).tolist()}.",
            fault="complex",
        )
    if not np.isfinite(numbers).all():
        raise Refused(
            f"The {what} is not finite at the start, {start.tolist()}: nothing could move from there. Choose another "
            f"start. Received: {numbers.tolist()}.",
            fault="not finite",
        )
    again = as_numbers(second, start, result, what)
    if not np.allclose(again, numbers, rtol=1e-12, atol=0):
        raise Refused(
            f"The {what} is random: called twice at the start, {start.tolist()}, it gives two results. Fix a seed "
            "inside it, so that every optimizer meets the same landscape; for noise in the gradients use the argument "
            f"noise of race. Received: {numbers.tolist()}, then {again.tolist()}.",
            fault="random",
        )


def as_numbers(
    value: Any, point: Float64[np.ndarray, " parameters"], result: tuple[int, ...], what: str
) -> Float64[np.ndarray, "..."]:
    """What came back at a point as float64, with NaN for what is complex; or raise `ArgumentError`."""
    wanted = "one number" if result == () else f"an array of shape {result}"
    if value is None:
        raise Refused(
            f"The {what} returned None at {point.tolist()}: is a `return` missing? It returns {wanted} for a point. "
            "Received: None.",
            fault="None",
        )
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufcO":
            raise TypeError(f"no numbers, but {array.dtype}")
        numbers = _real(array)
    except Exception as error:
        raise Refused(
            f"The {what} returns {wanted} for a point. Received: {value!r} at {point.tolist()}.", fault="no number"
        ) from error
    if numbers.shape != result:
        raise Refused(
            f"The {what} returns {wanted} for a point of {len(point)} coordinates. Received: shape {numbers.shape} at "
            f"{point.tolist()}.",
            fault=f"shape {numbers.shape}",
        )
    return numbers


def _real(array: Any) -> Float64[np.ndarray, "..."]:
    """In float64. A complex number is what Python makes of (−1) ** 0.5, where NumPy says NaN."""
    if array.dtype.kind == "c":
        array = np.where(array.imag == 0, array.real, np.nan)
    return np.asarray(array, dtype=np.float64)


def _arguments(call: Call, dimension: int) -> str:
    if call.spread:
        return f"its {dimension} coordinates as separate arguments, as its signature asks"
    return f"one array of shape ({dimension},), or any leading axes before the {dimension}"


def _name(function: object) -> str:
    return getattr(function, "__qualname__", repr(function))
