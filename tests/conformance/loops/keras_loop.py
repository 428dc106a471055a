"""The problem in Keras: compiled by Keras, or as a loop of the user's own that calls the optimizer eagerly."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tests.conformance.problem import HIDDEN, INPUTS, LEARNING_RATE, OUTPUTS, SPARE, Setting, initial_weights


class Network(keras.Model):  # type: ignore[misc]  # the framework is not typed
    def __init__(self, *, spare: bool) -> None:
        super().__init__(name="network")
        self.hidden = keras.layers.Dense(HIDDEN, activation="relu", name="hidden")
        self.out = keras.layers.Dense(OUTPUTS, name="out")
        if spare:
            self.spare = self.add_weight(shape=(SPARE,), name="spare")

    def call(self, x):
        return self.out(self.hidden(x))


class KerasLoop:
    """Steps through `train_on_batch`, which runs the same compiled function as `fit`."""

    framework = "keras"

    def __init__(self, setting: Setting) -> None:
        # Layers follow the policy, and the learning rate is kept in the default precision.
        keras.config.set_floatx(setting.dtype)
        keras.config.set_dtype_policy(setting.dtype)
        self.model: Any = Network(spare=setting.spare)
        self.model(np.zeros((1, INPUTS), dtype=setting.dtype))  # builds it
        self.names = {
            "hidden.weight": "network/hidden/kernel",
            "hidden.bias": "network/hidden/bias",
            "out.weight": "network/out/kernel",
            "out.bias": "network/out/bias",
        } | ({"spare": "network/spare"} if setting.spare else {})
        weights = initial_weights(setting)
        self._variables = {variable.path: variable for variable in self.model.variables}
        for name, path in self.names.items():
            self._variables[path].assign(weights[name])
        self.optimizer: Any = keras.optimizers.SGD(LEARNING_RATE, momentum=setting.momentum)
        self.model.compile(optimizer=self.optimizer, loss="mse", jit_compile=False)

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        self.model.reset_metrics()
        return self.model.train_on_batch(x, y)

    def weights(self) -> dict[str, NDArray[Any]]:
        return {name: np.array(self._variables[path].numpy()) for name, path in self.names.items()}

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.learning_rate = rate

    def traces(self) -> object:
        methods = ("fit", "make_train_function", "apply", "update_step")
        return [name for owner in (self.model, self.optimizer) for name in methods if name in vars(owner)]


class EagerLoop(KerasLoop):
    """A gradient tape and `optimizer.apply`, nothing compiled."""

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(x) - y))
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss
