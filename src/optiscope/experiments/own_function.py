"""A function to race on from any Python callable, with the best derivatives that can be had."""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError, UnknownName
from optiscope.frameworks.autograd import Autograd, autograd_derivatives
from optiscope.problems.functions.calling import Refused, not_callable, understand
from optiscope.problems.functions.derivatives import Derivatives
from optiscope.problems.functions.own import OwnFunction, WithHessian, check_domain, finish, function_of

Gradient: TypeAlias = (
    Literal["auto", "autograd", "autograd (torch)", "autograd (paddle)", "autograd (tensorflow)", "finite differences"]
    | Callable[..., Any]
)
"""How to get the gradient, or a callable that gives it."""
_FRAMEWORKS: Mapping[str, tuple[str, str]] = {
    "torch": ("optiscope.frameworks.pytorch.autograd_function", "TorchAutograd"),
    "paddle": ("optiscope.frameworks.paddle_autograd", "PaddleAutograd"),
    "tensorflow": ("optiscope.frameworks.tensorflow_autograd", "TensorflowAutograd"),
}
"""Module and class by the name that a framework is imported by, in the order in which they are tried."""
_WAYS = ("auto", "autograd", *(f"autograd ({name})" for name in _FRAMEWORKS), "finite differences")


def own_function(
    callable: Callable[..., Any],  # noqa: A002  # what it is
    *,
    dimension: int = 2,
    bounds: ArrayLike | None = None,
    start: ArrayLike | None = None,
    minima: ArrayLike | None = None,
    minimum: float | None = None,
    gradient: Gradient = "auto",
    hessian: Literal["auto"] | Callable[..., Any] = "auto",
    name: str | None = None,
) -> OwnFunction:
    """A function from a Python callable: of NumPy arrays, of plain numbers, or of tensors.

        bowl = own_function(lambda x: x[..., 0] ** 2 + 3 * x[..., 1] ** 2, start=(3, 4))
        bowl = own_function(lambda x, y: x**2 + 3 * y**2, start=(3, 4))

    The result says in its `gradient_source` how its gradient is had. For the other arguments, and for what is raised
    before anything is run, see `optiscope.problems.functions.own.function_of`.

    Args:
        callable: the function of one point, or of its coordinates as separate arguments. When it takes leading axes
            too (x[..., 0] rather than x[0]), that is found out by trying, and everything is much faster.
        dimension: number of coordinates.
        bounds: lower and upper end of the domain along each coordinate, or one pair for all. Default: [−5, 5].
        start: where to start.
        minima: known minimum points, one a row.
        minimum: the smallest value.
        gradient: "autograd", "finite differences", a callable, or "auto": autograd when the program has imported
            PyTorch, PaddlePaddle or TensorFlow already and the callable can be differentiated so, else finite
            differences. Of several frameworks the first that works is taken; "autograd (torch)", "autograd (paddle)"
            and "autograd (tensorflow)" name one, and import it. To find a callable made of a framework's operations
            wanting, say "autograd": the error tells why.
        hessian: a callable from a point to its Hessian, or "auto": in the same way as the gradient.
        name: for titles. Default: that of the callable.
    """
    if isinstance(gradient, str) and gradient not in _WAYS:
        raise UnknownName.among(gradient, _WAYS, kind="way to get the gradient (or a callable)")
    if isinstance(hessian, str) and hessian != "auto":
        raise UnknownName.among(hessian, ["auto"], kind="way to get the Hessian (or a callable)")
    if not builtins.callable(callable):
        raise not_callable(callable, "function")
    refusals: dict[str, Refused] = {}
    domain = check_domain(dimension=dimension, bounds=bounds, start=start, minima=minima)
    for framework in _frameworks(gradient):
        try:
            with np.errstate(all="ignore"):
                derivatives: Derivatives = autograd_derivatives(_autograd(framework), callable, domain.examples)
                if not isinstance(hessian, str):
                    matrix = understand(hessian, domain.examples, (dimension, dimension), what="hessian")
                    derivatives = WithHessian(of=derivatives, exact_hessian=matrix)
                return finish(callable, domain, derivatives, minimum=minimum, name=name)
        except Refused as error:
            refusals[f"{framework} tensors"] = error
    if isinstance(gradient, str) and gradient.startswith("autograd"):
        raise _together(refusals)
    try:
        return function_of(
            callable,
            dimension=dimension,
            bounds=bounds,
            start=start,
            minima=minima,
            minimum=minimum,
            gradient="finite differences" if isinstance(gradient, str) else gradient,
            hessian="finite differences" if isinstance(hessian, str) else hessian,
            name=name,
        )
    except Refused as error:
        raise _together({"NumPy arrays": error, **refusals}) from error.__cause__


def _frameworks(gradient: object) -> list[str]:
    """Those to try."""
    if not isinstance(gradient, str) or gradient == "finite differences":
        return []
    named = [name for name in _FRAMEWORKS if gradient == f"autograd ({name})"]
    loaded = [name for name in _FRAMEWORKS if name in sys.modules]
    return named or loaded or (["torch"] if gradient == "autograd" else [])


def _autograd(framework: str) -> Autograd:
    module, kind = _FRAMEWORKS[framework]
    autograd: Autograd = getattr(importlib.import_module(module), kind)()
    return autograd


def _together(refusals: Mapping[str, Refused]) -> ArgumentError:
    """One error for all, in which nothing is said twice."""
    different: dict[str, str] = {}
    for arrays, refusal in refusals.items():
        if refusal.fault not in {refusals[other].fault for other in different}:
            different[arrays] = str(refusal)
    if len(different) == 1:
        return next(iter(refusals.values()))
    return ArgumentError(" ".join(f"With {arrays}: {sentence}" for arrays, sentence in different.items()))
