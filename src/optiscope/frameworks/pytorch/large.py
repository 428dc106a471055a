"""The tensors that are worth an operation of their own, on any device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from optiscope.frameworks.pytorch import sums
from optiscope.frameworks.pytorch.sums import Cell
from optiscope.recording.reductions import Reduction

_OF_THE_UPDATE = frozenset({Reduction.UPDATE_NORM, Reduction.UPDATE_DOT_GRADIENT})


class LargeTensors:
    """Some parameters of one optimizer, with two copies.

    `_kept` serves in turn as the gradient of the step before (from the end of one step to the beginning of the next)
    and as the weights before the step (from there to its end), so that both cost one copy. The other copy is `_start`.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self._orders = [sums.memory_order(parameter) for parameter in parameters]
        self._summer = sums.Summer()
        self._start: list[Tensor] = []
        self._kept: list[Tensor] = []
        self._holds_gradient = [False] * len(parameters)
        self._squares: list[Cell] = []
        self._kept_squares: list[Cell] | None = None

    def held_bytes(self) -> int:
        """Memory of the lasting copies, in bytes."""
        return sum(tensor.numel() * tensor.element_size() for tensor in (*self._start, *self._kept))

    def keep_start(self, starts: Sequence[Tensor]) -> None:
        """Copy the weights that distances are measured from."""
        self._start = [
            torch.empty_like(parameter, requires_grad=False).copy_(start.detach().reshape(parameter.shape))
            for parameter, start in zip(self._parameters, starts, strict=True)
        ]

    def start_of(self, index: int) -> Tensor:
        """The weights of one parameter at the start, as a vector."""
        return self.flat(self._start[index], index)

    def before_of(self, index: int) -> Tensor:
        """The weights of one parameter before the step, as a vector."""
        return self.flat(self._kept[index], index)

    def gradient_sums(self, wanted: Sequence[Reduction], gradients: Sequence[Tensor | None]) -> list[Cell]:
        """Sums over the gradients, tensor by tensor, and over them and those kept from the step before."""
        known = self._kept_squares if Reduction.PREVIOUS_GRADIENT_NORM in wanted else None
        self._squares = [torch.nan] * len(gradients)
        if known is not None:
            wanted = [reduction for reduction in wanted if reduction is not Reduction.PREVIOUS_GRADIENT_NORM]
        norm_at = wanted.index(Reduction.GRADIENT_NORM) if Reduction.GRADIENT_NORM in wanted else None
        cells: list[Cell] = []
        for index, gradient in enumerate(gradients):
            if gradient is None:
                sums_of_one: list[Cell] = [torch.nan] * len(wanted)
            else:
                previous = self.flat(self._kept[index], index) if self._holds_gradient[index] else None
                sums_of_one = self._summer.gradient_sums(wanted, self.flat(gradient, index), previous)
            if norm_at is not None:
                self._squares[index] = sums_of_one[norm_at]
            cells += sums_of_one
            if known is not None:
                cells.append(known[index])  # the last of the sums over gradients
        return cells

    def keep_weights(self) -> None:
        """Copy the weights before the step."""
        self._keep(self._parameters)
        self._holds_gradient = [False] * len(self._parameters)
        self._kept_squares = None

    def weight_sums(self, wanted: Sequence[Reduction], gradients: Sequence[Tensor | None]) -> list[Cell]:
        """Sums over the weights, tensor by tensor, the update, the distance from the start, and the gradients."""
        needs_update = not _OF_THE_UPDATE.isdisjoint(wanted)
        needs_start = Reduction.START_DISTANCE in wanted
        cells: list[Cell] = []
        for index, gradient in enumerate(gradients):
            cells += self._summer.weight_sums(
                wanted,
                self.flat(self._parameters[index].detach(), index),
                self.before_of(index) if needs_update else None,
                self.start_of(index) if needs_start else None,
                None if gradient is None else self.flat(gradient, index),
            )
        return cells

    def keep_gradients(self, gradients: Sequence[Tensor | None], *, are_measured: bool) -> None:
        """Keep the gradients for the next step, and their norms if they were measured at this one."""
        self._kept_squares = self._squares if are_measured else None
        self._keep([p if g is None else g for p, g in zip(self._parameters, gradients, strict=True)])
        self._holds_gradient = [gradient is not None for gradient in gradients]

    def flat(self, tensor: Tensor, index: int) -> Tensor:
        """A tensor of the shape of parameter `index` as one vector."""
        return sums.flatten(tensor, self._orders[index])

    def _keep(self, tensors: Sequence[Tensor]) -> None:
        if not self._kept:
            self._kept = [torch.empty_like(parameter, requires_grad=False) for parameter in self._parameters]
        for kept, tensor in zip(self._kept, tensors, strict=True):
            kept.copy_(tensor.to_dense() if tensor.is_sparse else tensor)
