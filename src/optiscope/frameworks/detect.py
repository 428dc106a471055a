"""Finding the adapter for a model and its optimizer, without importing any framework that the user has not."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from optiscope.errors import ArgumentError
from optiscope.frameworks.protocol import Adapter


def adapter_for(model: Any, optimizer: Any, scaler: Any = None) -> Adapter:
    """The adapter of the framework that `optimizer` belongs to.

    Raises `ArgumentError` when it belongs to none, or when model and optimizer do not fit together.
    """
    named = _by_name(optimizer)
    kinds = {_framework_of(one) for one in named.values()}
    if kinds == {"pytorch"}:
        return _pytorch(model, named, scaler)
    if scaler is not None:
        raise ArgumentError(f"scaler goes with PyTorch only. Received: {type(scaler).__name__}")
    if len(named) == 1:
        only, kind = next(iter(named.values())), next(iter(kinds))
        match kind:
            case "numpy":
                from optiscope.frameworks.numpy import NumpyAdapter

                return NumpyAdapter(only)
            case "keras":
                from optiscope.frameworks.keras import KerasAdapter

                return KerasAdapter(model, only)
            case "paddle":
                from optiscope.frameworks.paddle import PaddleAdapter

                return PaddleAdapter(model, only)
    received = ", ".join(f"{type(one).__module__}.{type(one).__name__}" for one in named.values()) or "no optimizer"
    raise ArgumentError(
        "watch(model, optimizer) takes a torch.optim.Optimizer (or several), a keras.optimizers.Optimizer, a "
        f"paddle.optimizer.Optimizer or an optiscope.NumpyOptimizer. Received: {received}"
    )


def is_silent_rank() -> bool:
    """Whether this process is one of a distributed PyTorch training and not its rank 0."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available():
        return False
    return bool(torch.distributed.is_initialized() and torch.distributed.get_rank() != 0)


def _by_name(optimizer: Any) -> dict[str, Any]:
    if isinstance(optimizer, Mapping):
        return {str(name): one for name, one in optimizer.items()}
    if isinstance(optimizer, Sequence) and not isinstance(optimizer, str):
        return {"": optimizer[0]} if len(optimizer) == 1 else {str(i): one for i, one in enumerate(optimizer)}
    return {"": optimizer}


def _framework_of(optimizer: Any) -> str | None:
    """The framework of an object, asked only of frameworks that are already imported."""
    if (torch := sys.modules.get("torch")) is not None and isinstance(optimizer, torch.optim.Optimizer):
        return "pytorch"
    if (keras := sys.modules.get("keras")) is not None and isinstance(optimizer, keras.optimizers.Optimizer):
        return "keras"
    if (paddle := sys.modules.get("paddle")) is not None and isinstance(optimizer, paddle.optimizer.Optimizer):
        return "paddle"
    if (ours := sys.modules.get("optiscope.frameworks.numpy")) is not None and isinstance(
        optimizer, ours.NumpyOptimizer
    ):
        return "numpy"
    return None


def _pytorch(model: Any, optimizers: Mapping[str, Any], scaler: Any) -> Adapter:
    from torch import nn

    from optiscope.frameworks.pytorch import PytorchAdapter

    models = {"": model} if not isinstance(model, Mapping) else model
    wrong = [one for one in models.values() if not isinstance(one, nn.Module)]
    if wrong or not models:
        received = ", ".join(type(one).__name__ for one in wrong) or "an empty mapping"
        raise ArgumentError(
            f"A torch optimizer goes with a torch.nn.Module, or a mapping of names to some. Received: {received}"
        )
    adapter = PytorchAdapter(models, optimizers, scaler)
    if not adapter.shares_parameters():
        raise ArgumentError(
            "The optimizer holds none of the model's parameters, so nothing of it would be trained. Build it with "
            "model.parameters() of this very model (after moving or wrapping it, if that makes new parameters)."
        )
    return adapter
