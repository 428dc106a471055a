"""Taking numbers from tensors to the host without making the training thread wait for the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Value = TypeVar("Value")


class Transfer:
    """A tensor on its way to the host. On the CPU it is there already."""

    __slots__ = ("_event", "_host")

    def __init__(self, tensor: Tensor) -> None:
        """Begin the transfer. `tensor` must not be changed afterwards: hand over a result or a clone."""
        self._event: torch.cuda.Event | None = None
        if tensor.device.type == "cpu":
            self._host = tensor
        elif tensor.device.type == "cuda":
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            # An event of the stream that training uses: the writer thread waits for this copy and nothing later.
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(tensor.device))
        else:
            # Other devices give no portable way to wait for one copy, so the copy is left to the writer thread.
            self._host = tensor

    def tensor(self) -> Tensor:
        """Wait, and return the tensor on the host."""
        if self._event is not None:
            self._event.synchronize()
        return self._host.cpu()


class Resolved(Generic[Value]):
    """Pending until `transfers` have arrived; the value is then made from their tensors."""

    __slots__ = ("_finish", "_transfers")

    def __init__(self, transfers: Sequence[Transfer], finish: Callable[[list[Tensor]], Value]) -> None:
        self._transfers = transfers
        self._finish = finish

    def resolve(self) -> Value:
        """Wait for the tensors and make the value."""
        return self._finish([transfer.tensor() for transfer in self._transfers])


def as_real(tensor: Tensor) -> Tensor:
    """The tensor itself, or for a complex one its real and imaginary parts as a last axis of two."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def to_array(tensor: Tensor) -> NDArray[Any]:
    """A NumPy array of the same numbers. What NumPy lacks (bfloat16, 8-bit floats) becomes float32, exactly."""
    if tensor.is_floating_point() and tensor.dtype not in {torch.float16, torch.float32, torch.float64}:
        tensor = tensor.to(torch.float32)
    return np.asarray(as_real(tensor).numpy())
