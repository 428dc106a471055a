"""PaddlePaddle's autograd, for the derivatives of a user's own function."""

from __future__ import annotations

from typing import Any

import numpy as np

from optiscope.errors import MissingDependency
from optiscope.frameworks.autograd import Apply
from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices


class PaddleAutograd:
    """See `optiscope.frameworks.autograd.Autograd`."""

    name = "paddle"

    def __init__(self) -> None:
        """Raise `MissingDependency` without PaddlePaddle."""
        try:
            import paddle
        except ImportError as error:
            raise MissingDependency.of("paddlepaddle", purpose="A gradient by autograd", extra="paddle") from error
        self._paddle: Any = paddle

    def tensor(self, numbers: Any, *, recording: bool = False) -> Any:
        """A constant, or a tensor that records."""
        numbers = np.ascontiguousarray(numbers, dtype=np.float64).reshape(np.shape(numbers))
        place = self._paddle.CPUPlace()
        return self._paddle.to_tensor(numbers, dtype="float64", place=place, stop_gradient=not recording)

    def is_tensor(self, value: object) -> bool:
        """Whether it is a tensor of PaddlePaddle."""
        return isinstance(value, self._paddle.Tensor)

    def array(self, tensor: Any) -> Any:
        """The numbers of a tensor."""
        return tensor.numpy() if tensor.is_complex() else tensor.astype("float64").numpy()

    def stack(self, tensors: list[Any]) -> Any:
        """Tensors of shape () as one vector."""
        return self._paddle.stack(tensors)

    def value(self, apply: Apply, x: Points) -> Any:
        """What `apply` gives for a tensor that records."""
        return apply(self.tensor(x, recording=True))

    def gradient(self, apply: Apply, x: Points) -> Points | None:
        """The derivative of the sum of what `apply` gives; None when it does not depend on x."""
        with self._paddle.enable_grad():
            points = self.tensor(x, recording=True)
            gradient = self._derivative(apply(points), points)
        return None if gradient is None else np.array(gradient.numpy())

    def hessian(self, apply: Apply, x: Points) -> Matrices:
        """The derivative of the gradient."""
        with self._paddle.enable_grad():
            points = self.tensor(x, recording=True)
            gradient = self._derivative(apply(points), points, create_graph=True, retain_graph=True)
            rows = [
                None if gradient is None else self._derivative(gradient[..., i], points, retain_graph=True)
                for i in range(x.shape[-1])
            ]
        return np.stack([np.zeros(x.shape) if row is None else row.numpy() for row in rows], axis=-2)

    def _derivative(self, values: Any, points: Any, **graph: bool) -> Any:
        if values.stop_gradient:
            return None
        (derivative,) = self._paddle.grad([values.sum()], [points], allow_unused=True, **graph)
        return derivative
