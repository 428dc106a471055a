"""The problem in NumPy, with the gradients written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiscope.frameworks.numpy import NumpyOptimizer
from tests.conformance.problem import LEARNING_RATE, Setting, initial_weights


class NumpyLoop:
    """Forward pass, backward pass and momentum, each in a few lines."""

    framework = "numpy"

    def __init__(self, setting: Setting) -> None:
        self.model = initial_weights(setting)
        self.names = {name: name for name in self.model}
        self._momentum = setting.momentum
        self._velocity = {name: np.zeros_like(array) for name, array in self.model.items()}
        settings = {"learning_rate": LEARNING_RATE} | ({"momentum": setting.momentum} if setting.momentum else {})
        self.optimizer = NumpyOptimizer(self.model, self._sgd, **settings)

    def _sgd(self, gradients: Any, _: Any) -> dict[str, NDArray[Any]]:
        updates = {}
        for name, gradient in gradients.items():
            if gradient is not None:
                self._velocity[name] = self._momentum * self._velocity[name] + gradient
                rate = self._velocity[name].dtype.type(self.optimizer.settings["learning_rate"])
                updates[name] = -rate * self._velocity[name]
        return updates

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        w = self.model
        before = x @ w["hidden.weight"] + w["hidden.bias"]
        hidden = np.maximum(before, 0)
        error = hidden @ w["out.weight"] + w["out.bias"] - y
        d_out = 2 * error / error.dtype.type(error.size)
        d_before = (d_out @ w["out.weight"].T) * (before > 0)
        gradients = {
            "hidden.weight": x.T @ d_before,
            "hidden.bias": d_before.sum(axis=0),
            "out.weight": hidden.T @ d_out,
            "out.bias": d_out.sum(axis=0),
        }
        self.optimizer.step({name: gradients.get(name) for name in w})
        return np.square(error).mean()

    def weights(self) -> dict[str, NDArray[Any]]:
        return {name: array.copy() for name, array in self.model.items()}

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.settings["learning_rate"] = rate

    def traces(self) -> object:
        return list(self.optimizer.observers)
