"""TensorFlow's gradient tape, for the derivatives of a user's own function."""

from __future__ import annotations

from typing import Any

import numpy as np

from optiscope.errors import MissingDependency
from optiscope.frameworks.autograd import Apply
from optiscope.objectives import Points
from optiscope.problems.functions.function import Matrices


class TensorflowAutograd:
    """See `optiscope.frameworks.autograd.Autograd`."""

    name = "tensorflow"

    def __init__(self) -> None:
        """Raise `MissingDependency` without TensorFlow."""
        try:
            import tensorflow
        except ImportError as error:
            raise MissingDependency.of("tensorflow", purpose="A gradient by autograd", extra="keras") from error
        self._tensorflow: Any = tensorflow

    def tensor(self, numbers: Any) -> Any:
        """A constant."""
        with self._tensorflow.device("CPU:0"):
            return self._tensorflow.constant(np.asarray(numbers), dtype="float64")

    def is_tensor(self, value: object) -> bool:
        """Whether it is a tensor of TensorFlow."""
        return bool(self._tensorflow.is_tensor(value))

    def array(self, tensor: Any) -> Any:
        """The numbers of a tensor."""
        return tensor.numpy()

    def stack(self, tensors: list[Any]) -> Any:
        """Tensors of shape () as one vector."""
        return self._tensorflow.stack(tensors)

    def value(self, apply: Apply, x: Points) -> Any:
        """What `apply` gives for a tensor."""
        return apply(self.tensor(x))

    def gradient(self, apply: Apply, x: Points) -> Points | None:
        """The derivative of the sum of what `apply` gives; None when it does not depend on x."""
        points = self.tensor(x)
        with self._tensorflow.GradientTape() as tape:
            tape.watch(points)
            values = apply(points)
        gradient = tape.gradient(values, points)
        return None if gradient is None else self._tensorflow.convert_to_tensor(gradient).numpy()

    def hessian(self, apply: Apply, x: Points) -> Matrices:
        """The derivative of the gradient."""
        points = self.tensor(x)
        with self._tensorflow.GradientTape(persistent=True) as outer:
            outer.watch(points)
            with self._tensorflow.GradientTape() as inner:
                inner.watch(points)
                values = apply(points)
            gradient = inner.gradient(values, points, unconnected_gradients="zero")
            parts = [gradient[..., i] for i in range(x.shape[-1])]
        rows = [outer.gradient(part, points, unconnected_gradients="zero").numpy() for part in parts]
        return np.stack(rows, axis=-2)
