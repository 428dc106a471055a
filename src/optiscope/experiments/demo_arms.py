"""The optimizers that the demo compares, each with a learning rate tuned for LeNet on the digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One optimizer of the comparison."""

    name: str
    """Short name, the beginning of its runs' names."""
    title: str
    """Name for tables and legends."""
    pytorch: str
    """Its class in `torch.optim`."""
    learning_rate: float
    """Learning rate: the best, or tied, of a scan by hand over about three values with three seeds each."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Hyperparameters that are not PyTorch's defaults."""

    @property
    def hyperparameters(self) -> dict[str, float]:
        """Everything that is not PyTorch's default, for the run's configuration."""
        return {"learning_rate": self.learning_rate, **self.others}

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimizer for these parameters."""
        import torch

        built: torch.optim.Optimizer = getattr(torch.optim, self.pytorch)(
            parameters, lr=self.learning_rate, **self.others
        )
        return built


ARMS = (
    Arm(name="sgd", title="SGD", pytorch="SGD", learning_rate=0.1),
    Arm(name="momentum", title="Momentum", pytorch="SGD", learning_rate=0.03, others={"momentum": 0.9}),
    Arm(name="adagrad", title="AdaGrad", pytorch="Adagrad", learning_rate=0.02),
    Arm(name="rmsprop", title="RMSprop", pytorch="RMSprop", learning_rate=0.002),
    Arm(name="adam", title="Adam", pytorch="Adam", learning_rate=0.003),
)
