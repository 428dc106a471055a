"""The small problem that every framework trains: two dense layers, a few batches, from the same weights.

Every number that the update multiplies by is a sum of a few powers of two, so that no framework rounds it differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

INPUTS, HIDDEN, OUTPUTS, BATCH = 5, 4, 3, 8
STEPS = 7
LEARNING_RATE = 0.125
MOMENTUM = 0.75
SPARE = 6
"""Elements of a parameter that the loss does not depend on, so that it never has a gradient."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a loop is built with."""

    dtype: str = "float32"
    momentum: float = 0.0
    spare: bool = False
    """Whether the model has the spare parameter."""


def initial_weights(setting: Setting) -> dict[str, NDArray[Any]]:
    """The weights to start from; dense kernels are [inputs, outputs]."""
    random = np.random.default_rng(20)
    weights = {
        "hidden.weight": random.normal(size=(INPUTS, HIDDEN)) / 2,
        "hidden.bias": random.normal(size=HIDDEN) / 2,
        "out.weight": random.normal(size=(HIDDEN, OUTPUTS)) / 2,
        "out.bias": random.normal(size=OUTPUTS) / 2,
    }
    weights["hidden.bias"][0] = -16.0  # a dead unit, whose gradient is exactly zero
    if setting.spare:
        weights["spare"] = random.normal(size=SPARE)
    return {name: array.astype(np.float32).astype(setting.dtype) for name, array in weights.items()}


def batch(step: int, dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """The batch that the step numbered `step`, counted from 1, trains on."""
    random = np.random.default_rng(100 + step)
    x = random.normal(size=(BATCH, INPUTS)).astype(np.float32)
    y = random.normal(size=(BATCH, OUTPUTS)).astype(np.float32) + 1
    return x.astype(dtype), y.astype(dtype)


class Loop(Protocol):
    """A training loop of one framework on this problem. The loss is the mean squared error, the optimizer SGD."""

    framework: str
    model: Any
    """First argument of `watch`."""
    optimizer: Any
    """Second argument of `watch`."""
    names: dict[str, str]
    """For each of the problem's weights the name that the recording gives it."""

    def __init__(self, setting: Setting) -> None:
        """Build model and optimizer, with the problem's first weights."""
        ...

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> Any:
        """Take one step and return the loss as it was before it, as the framework's user would log it."""
        ...

    def weights(self) -> dict[str, NDArray[Any]]:
        """The weights as they are now, by the problem's names; kernels as [inputs, outputs]."""
        ...

    def set_learning_rate(self, rate: float) -> None:
        """Change the learning rate from the next step on."""
        ...

    def traces(self) -> object:
        """Anything that an observer could leave on model and optimizer, to be compared."""
        ...
