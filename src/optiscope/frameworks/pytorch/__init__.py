"""The PyTorch adapter: watches any loop that calls `optimizer.step()`, under any trainer."""

from __future__ import annotations

from optiscope.frameworks.pytorch.adapter import PytorchAdapter

__all__ = ["PytorchAdapter"]
