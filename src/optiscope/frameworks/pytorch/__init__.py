"""The PyTorch adapter: watches any loop that calls `optimizer.step()`, under any trainer."""

from __future__ import annotations

from optiscope.errors import MissingDependency

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MissingDependency.of("torch", purpose="Working with PyTorch", extra="torch") from error

from optiscope.frameworks.pytorch.adapter import PytorchAdapter

__all__ = ["PytorchAdapter"]
