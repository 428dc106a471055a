"""LeNet: the small convolutional network of the experiments, in PyTorch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from optiscope.errors import MissingDependency

if TYPE_CHECKING:
    from torch import nn


def lenet(*, seed: int = 0) -> nn.Module:
    """LeNet for 28×28 images of ten classes, 61,610 parameters, on the CPU in float32.

    conv 1→6 (3×3, padding 1), ReLU, max-pool 2, conv 6→16 (5×5), ReLU, max-pool 2, 400→120→84→10 with ReLU between.
    It returns logits of shape [batch, 10]. The initialisation is PyTorch's own and depends on `seed` alone; PyTorch's
    random generators are left as they were.

    Raises `MissingDependency` without PyTorch.
    Source: Y. LeCun et al., Gradient-based learning applied to document recognition, 1998 (there with 5×5 kernels
    in the first layer, average pooling and squashing activations).
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependency.of("torch", purpose="LeNet", extra="torch") from error

    # Only the CPU's generator is needed; torch.manual_seed would also seed the generators of every accelerator.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return _lenet_class()()


@cache
def _lenet_class() -> type[nn.Module]:
    """Define the class once, where PyTorch may be imported."""
    import torch
    from torch import nn

    cpu, float32 = torch.device("cpu"), torch.float32

    class LeNet(nn.Module):
        """The layers in order, each under the name that its parameters have in a run."""

        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, kernel_size=3, padding=1, device=cpu, dtype=float32)
            self.conv2 = nn.Conv2d(6, 16, kernel_size=5, device=cpu, dtype=float32)
            self.fc1 = nn.Linear(400, 120, device=cpu, dtype=float32)
            self.fc2 = nn.Linear(120, 84, device=cpu, dtype=float32)
            self.fc3 = nn.Linear(84, 10, device=cpu, dtype=float32)
            self.relu = nn.ReLU()
            self.pool = nn.MaxPool2d(2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            """Logits [batch, 10] of `images` [batch, 1, 28, 28]."""
            maps = self.pool(self.relu(self.conv1(images)))
            maps = self.pool(self.relu(self.conv2(maps)))
            hidden = self.relu(self.fc1(maps.flatten(start_dim=1)))
            hidden = self.relu(self.fc2(hidden))
            logits: torch.Tensor = self.fc3(hidden)
            return logits

    return LeNet
