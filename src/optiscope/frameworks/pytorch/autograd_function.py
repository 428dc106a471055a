"""PyTorch's autograd, for the derivatives of a user's own function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from optiscope.errors import MissingDependency
from optiscope.frameworks.autograd import Apply
from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices

if TYPE_CHECKING:
    import torch


class TorchAutograd:
    """See `optiscope.frameworks.autograd.Autograd`."""

    name = "torch"

    def __init__(self) -> None:
        """Raise `MissingDependency` without PyTorch."""
        try:
            import torch
        except ImportError as error:
            raise MissingDependency.of("torch", purpose="A gradient by autograd", extra="torch") from error
        self._torch = torch

    def tensor(self, numbers: Any) -> torch.Tensor:
        """A constant."""
        return self._torch.tensor(np.ascontiguousarray(numbers).reshape(np.shape(numbers)), dtype=self._torch.float64)

    def is_tensor(self, value: object) -> bool:
        """Whether it is a torch tensor."""
        return isinstance(value, self._torch.Tensor)

    def array(self, tensor: torch.Tensor) -> Any:
        """The numbers of a tensor."""
        plain = tensor.detach().cpu().resolve_conj()
        return (plain if plain.is_complex() else plain.double()).numpy()

    def stack(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        """Tensors of shape () as one vector."""
        return self._torch.stack(tensors)

    def value(self, apply: Apply, x: Points) -> Any:
        """What `apply` gives for a tensor that records."""
        return apply(self.tensor(x).requires_grad_())

    def gradient(self, apply: Apply, x: Points) -> Points | None:
        """The derivative of the sum of what `apply` gives; None when it does not depend on x."""
        # The caller may be inside torch.no_grad(), where models are evaluated.
        with self._torch.enable_grad():
            points = self.tensor(x).requires_grad_()
            values = apply(points)
            if not values.requires_grad:
                return None
            (gradient,) = self._torch.autograd.grad(values.sum(), [points], allow_unused=True)
        return None if gradient is None else gradient.numpy()  # type: ignore[redundant-expr]

    def hessian(self, apply: Apply, x: Points) -> Matrices:
        """The derivative of the gradient."""
        with self._torch.enable_grad():
            points = self.tensor(x).requires_grad_()
            gradient = self._derivative(apply(points), points, create_graph=True)
            rows = [self._derivative(gradient[..., i], points, create_graph=False) for i in range(x.shape[-1])]
        matrices: Matrices = self._torch.stack(rows, dim=-2).detach().numpy()
        return matrices

    def _derivative(self, values: torch.Tensor, points: torch.Tensor, *, create_graph: bool) -> torch.Tensor:
        """∂(Σ values)/∂points. Zero where they do not depend on the points at all."""
        if not values.requires_grad:
            return self._torch.zeros_like(points)
        (derivative,) = self._torch.autograd.grad(
            values.sum(), [points], allow_unused=True, create_graph=create_graph, retain_graph=True
        )
        return self._torch.zeros_like(points) if derivative is None else derivative  # type: ignore[redundant-expr]
