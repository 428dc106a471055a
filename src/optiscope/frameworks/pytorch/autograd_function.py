"""The derivatives of a user's own function by PyTorch's autograd."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float64

from optiscope.errors import ArgumentError, MissingDependency
from optiscope.objectives import Points, Values
from optiscope.problems.functions.calling import call_with, takes_coordinates
from optiscope.problems.functions.function import Matrices

if TYPE_CHECKING:
    import torch

Manner = Literal["all points at once", "one point at a time"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TorchDerivatives:
    """∂f/∂xᵢ by one backward pass through f, and ∂²f/∂xᵢ∂xⱼ by another through that; in float64 on the CPU."""

    function: Callable[..., Any]
    """Takes a tensor with a point along the last axis, or its coordinates, and gives a tensor."""
    spread: bool
    """Whether it takes the coordinates as separate arguments."""
    manner: Manner
    """Whether it takes points with leading axes."""
    source: str = "autograd (torch)"

    def value(self, x: Points) -> Values:
        """f at each point."""
        _, values = self._run(x)
        numbers: Values = values.detach().numpy()
        return numbers

    def gradient(self, x: Points) -> Points:
        """∂f/∂xᵢ at each point."""
        import torch

        # The caller may be inside torch.no_grad(), where models are evaluated.
        with torch.enable_grad():
            points, values = self._run(x)
            gradient: Points = _derivative(values, points).detach().numpy()
        return gradient

    def hessian(self, x: Points) -> Matrices:
        """∂²f/∂xᵢ∂xⱼ at each point."""
        import torch

        with torch.enable_grad():
            points, values = self._run(x)
            gradient = _derivative(values, points, create_graph=True)
            rows = [_derivative(gradient[..., i], points, retain_graph=True) for i in range(x.shape[-1])]
        matrices: Matrices = torch.stack(rows, dim=-2).detach().numpy()
        symmetric: Matrices = (matrices + np.swapaxes(matrices, -1, -2)) / 2
        return symmetric

    def _run(self, x: Points) -> tuple[torch.Tensor, torch.Tensor]:
        """The points as a tensor that records, and f at each."""
        import torch

        points = torch.tensor(np.ascontiguousarray(x), dtype=torch.float64, requires_grad=True)
        if self.manner == "all points at once":
            return points, call_with(self.function, points, spread=self.spread)
        rows = [call_with(self.function, row, spread=self.spread) for row in points.reshape(-1, x.shape[-1])]
        if not rows:
            return points, points.sum(dim=-1)
        return points, torch.stack(rows).reshape(x.shape[:-1])


def torch_derivatives(
    function: Callable[..., Any], examples: Float64[np.ndarray, "examples parameters"]
) -> TorchDerivatives:
    """Derivatives of `function` by autograd, after trying it at the examples, of which the first is the start.

    Raises `ArgumentError` when it cannot be differentiated so: it raises on tensors, gives no tensor of one number,
    or one that autograd cannot follow back to the point; and for a value or gradient that is not finite at the start.
    Raises `MissingDependency` without PyTorch.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependency.of("torch", purpose="A gradient by autograd", extra="torch") from error

    dimension = examples.shape[-1]
    spread = takes_coordinates(function, dimension)
    single = TorchDerivatives(function=function, spread=spread, manner="one point at a time")
    start = torch.tensor(examples[0], dtype=torch.float64, requires_grad=True)
    try:
        with torch.enable_grad(), warnings.catch_warnings():
            # PyTorch warns when a tensor is turned into a number; what follows raises in that case.
            warnings.simplefilter("ignore")
            value = call_with(function, start, spread=spread)
    except Exception as error:
        raise ArgumentError(
            f"The function raised {type(error).__name__} when called with a torch tensor: {error}. Autograd needs a "
            "function of tensors; one of NumPy arrays works with gradient='finite differences'."
        ) from error
    if not isinstance(value, torch.Tensor) or value.shape != ():
        received = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
        raise ArgumentError(
            "For autograd the function returns one number as a tensor of shape (), made by operations of torch. "
            f"Received: {received}."
        )
    if not value.requires_grad:
        raise ArgumentError(
            "Autograd cannot follow the function's value back to the point: somewhere the tensor is detached, or "
            f"turned into a number. Use operations of torch throughout. Received: {value!r}."
        )
    gradient = single.gradient(examples[0])
    if not (np.isfinite(value.item()) and np.isfinite(gradient).all()):
        raise ArgumentError(
            f"The function or its gradient is not finite at the start, {examples[0].tolist()}: nothing could move from "
            f"there. Choose another start. Received: value {value.item()}, gradient {gradient.tolist()}."
        )
    several = np.resize(examples, (2 * (dimension + 1), dimension)).reshape(2, dimension + 1, dimension)
    at_once = TorchDerivatives(function=function, spread=spread, manner="all points at once")
    try:
        if at_once.value(several).shape != several.shape[:-1]:
            return single
        pairs = [(at_once.value(several), single.value(several)), (at_once.gradient(several), single.gradient(several))]
    except Exception:
        return single
    same = all(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in pairs)
    return at_once if same else single


def _derivative(
    values: torch.Tensor, points: torch.Tensor, *, create_graph: bool = False, retain_graph: bool = False
) -> torch.Tensor:
    """∂(Σ values)/∂points: each value depends on its own point alone. Zero where it does not depend on it at all."""
    import torch

    if not values.requires_grad:
        return torch.zeros_like(points)
    (derivative,) = torch.autograd.grad(
        values.sum(), [points], allow_unused=True, create_graph=create_graph, retain_graph=retain_graph or create_graph
    )
    return torch.zeros_like(points) if derivative is None else derivative  # type: ignore[redundant-expr]
