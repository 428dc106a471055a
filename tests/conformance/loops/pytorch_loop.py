"""The problem in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from tests.conformance.problem import HIDDEN, INPUTS, LEARNING_RATE, OUTPUTS, SPARE, Setting, initial_weights


class Network(nn.Module):
    def __init__(self, *, spare: bool) -> None:
        super().__init__()
        self.hidden = nn.Linear(INPUTS, HIDDEN)
        self.out = nn.Linear(HIDDEN, OUTPUTS)
        if spare:
            self.spare = nn.Parameter(torch.empty(SPARE))

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


class PytorchLoop:
    framework = "pytorch"

    def __init__(self, setting: Setting) -> None:
        self.model: Any = Network(spare=setting.spare).to(getattr(torch, setting.dtype))
        weights = initial_weights(setting)
        self.names = {name: name for name in weights}
        state = {
            name: torch.from_numpy(array.T.copy() if array.ndim == 2 else array) for name, array in weights.items()
        }
        self.model.load_state_dict(state)
        self.optimizer: Any = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE, momentum=setting.momentum)

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        self.optimizer.zero_grad()
        loss = torch.square(self.model(torch.from_numpy(x)) - torch.from_numpy(y)).mean()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def weights(self) -> dict[str, NDArray[Any]]:
        arrays = {name: p.detach().numpy().copy() for name, p in self.model.named_parameters()}
        return {name: array.T if array.ndim == 2 else array for name, array in arrays.items()}

    def set_learning_rate(self, rate: float) -> None:
        self.optimizer.param_groups[0]["lr"] = rate

    def traces(self) -> object:
        hooks = (self.optimizer._optimizer_step_pre_hooks, self.optimizer._optimizer_step_post_hooks)
        return [dict(hook) for hook in hooks], sorted(vars(self.optimizer)), sorted(vars(self.model))
