"""The problem in PaddlePaddle."""

from __future__ import annotations

from typing import Any

import paddle
from numpy.typing import NDArray

from tests.conformance.problem import HIDDEN, INPUTS, LEARNING_RATE, OUTPUTS, SPARE, Setting, initial_weights


class Network(paddle.nn.Layer):  # type: ignore[misc]  # the framework is not typed
    def __init__(self, *, spare: bool) -> None:
        super().__init__()
        self.hidden = paddle.nn.Linear(INPUTS, HIDDEN)
        self.out = paddle.nn.Linear(HIDDEN, OUTPUTS)
        if spare:
            self.spare = self.create_parameter([SPARE])

    def forward(self, x):
        return self.out(paddle.nn.functional.relu(self.hidden(x)))


class PaddleLoop:
    framework = "paddle"

    def __init__(self, setting: Setting) -> None:
        self.model = Network(spare=setting.spare).to(dtype=setting.dtype)
        weights = initial_weights(setting)
        self.names = {name: name for name in weights}
        self.model.set_state_dict({name: paddle.to_tensor(array) for name, array in weights.items()})
        parameters = self.model.parameters()
        if setting.momentum:
            self.optimizer: Any = paddle.optimizer.Momentum(LEARNING_RATE, setting.momentum, parameters=parameters)
        else:
            self.optimizer = paddle.optimizer.SGD(LEARNING_RATE, parameters=parameters)

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        loss = paddle.square(self.model(paddle.to_tensor(x)) - paddle.to_tensor(y)).mean()
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss

    def weights(self) -> dict[str, NDArray[Any]]:
        return {name: parameter.numpy().copy() for name, parameter in self.model.named_parameters()}

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.set_lr(rate)

    def traces(self) -> object:
        return sorted(vars(self.optimizer)), sorted(vars(self.model))
