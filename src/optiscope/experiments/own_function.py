"""A function to race on from any Python callable, with the best derivatives that can be had."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from optiscope.errors import ArgumentError, UnknownName
from optiscope.problems.functions.calling import understand
from optiscope.problems.functions.derivatives import Derivatives
from optiscope.problems.functions.own import OwnFunction, WithHessian, check_domain, finish, function_of

Gradient: TypeAlias = Literal["auto", "autograd", "finite differences"] | Callable[..., Any]
"""How to get the gradient, or a callable that gives it."""
_WAYS = ("auto", "autograd", "finite differences")


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
    """A function from a Python callable: of NumPy arrays, of plain numbers, or of torch tensors.

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
        gradient: "autograd" (PyTorch's), "finite differences", a callable, or "auto": autograd when the program has
            imported PyTorch already and the callable can be differentiated so, else finite differences. To find a
            callable made of torch operations wanting, say "autograd": the error tells why.
        hessian: a callable from a point to its Hessian, or "auto": in the same way as the gradient.
        name: for titles. Default: that of the callable.
    """
    if isinstance(gradient, str) and gradient not in _WAYS:
        raise UnknownName.among(gradient, _WAYS, kind="way to get the gradient (or a callable)")
    if isinstance(hessian, str) and hessian != "auto":
        raise UnknownName.among(hessian, ["auto"], kind="way to get the Hessian (or a callable)")
    refusal: ArgumentError | None = None
    if gradient == "autograd" or (gradient == "auto" and "torch" in sys.modules):
        from optiscope.frameworks.pytorch.autograd_function import torch_derivatives

        domain = check_domain(dimension=dimension, bounds=bounds, start=start, minima=minima)
        try:
            with np.errstate(all="ignore"):
                derivatives: Derivatives = torch_derivatives(callable, domain.examples)
                if not isinstance(hessian, str):
                    matrix = understand(hessian, domain.examples, (dimension, dimension), what="hessian")
                    derivatives = WithHessian(of=derivatives, exact_hessian=matrix)
                return finish(callable, domain, derivatives, minimum=minimum, name=name)
        except ArgumentError as error:
            if gradient == "autograd":
                raise
            refusal = error
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
    except ArgumentError as error:
        if refusal is not None:
            raise ArgumentError(f"With NumPy arrays: {error} With torch tensors: {refusal}") from error
        raise
