"""Measures the parameters of one optimizer around its step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiscope.frameworks.pytorch import sums
from optiscope.frameworks.pytorch.counts import BIN_COLUMNS, log_histogram
from optiscope.frameworks.pytorch.transfer import Resolved, Transfer
from optiscope.recording.measurement import Measurement
from optiscope.recording.pending import Known, Pending
from optiscope.recording.plan import Plan
from optiscope.recording.reductions import Reduction

_OF_THE_GRADIENT = (
    Reduction.GRADIENT_NORM,
    Reduction.GRADIENT_SUM,
    Reduction.GRADIENT_SPREAD,
    Reduction.GRADIENT_ZEROS,
    Reduction.GRADIENT_NONFINITE,
    Reduction.GRADIENT_DOT_PREVIOUS,
    Reduction.PREVIOUS_GRADIENT_NORM,
)
"""Measured before the step, since an optimizer may overwrite its gradients."""
_NORMS = (
    Reduction.GRADIENT_NORM,
    Reduction.PREVIOUS_GRADIENT_NORM,
    Reduction.WEIGHT_NORM,
    Reduction.UPDATE_NORM,
    Reduction.START_DISTANCE,
    Reduction.RAW_GRADIENT_NORM,
)
"""Measured as a sum of squares; the root is taken at the end."""
_FACTORS = {
    Reduction.UPDATE_DOT_GRADIENT: (Reduction.UPDATE_NORM, Reduction.GRADIENT_NORM),
    Reduction.GRADIENT_DOT_PREVIOUS: (Reduction.GRADIENT_NORM, Reduction.PREVIOUS_GRADIENT_NORM),
    Reduction.GRADIENT_SPREAD: (Reduction.GRADIENT_NORM, Reduction.GRADIENT_NORM),
}
"""Sums of products, and the norms whose product bounds them."""
_SAFE_PRODUCT_PER_ELEMENT = 1e-31
"""A float32 sum of products above this, times the number of elements, has lost nothing to underflow."""


class Meter:
    """Holds the copies that measuring needs: two, unless the optimizer overwrites its gradients.

    `_kept` serves in turn as the gradient of the step before (from the end of one step to the beginning of the next)
    and as the weights before the step (from there to its end), so that both cost one copy. The other copy is `_start`.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = tuple(parameters)
        self._orders = [sums.memory_order(parameter) for parameter in parameters]
        self._count = len(self.parameters)
        self._start: list[Tensor] = []
        self._kept: list[Tensor] = []
        self._holds_gradient = [False] * self._count
        self._gradients: list[Tensor | None] = [None] * self._count
        self._versions: list[int] = []
        self._copied = False
        self._overwrites_gradients = False
        self._on_cpu = True
        self._cells: dict[Reduction, list[Tensor | None]] = {}
        self._raw: list[Tensor | None] = [None] * self._count
        self._present: tuple[bool, ...] = ()
        self._histograms: dict[str, list[Tensor]] = {}

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Number of elements of each parameter, a complex one counted as two."""
        return np.array([p.numel() * (2 if p.is_complex() else 1) for p in self.parameters], dtype=np.float64)

    def held_bytes(self) -> int:
        """Memory of the lasting copies, in bytes."""
        return sum(tensor.numel() * tensor.element_size() for tensor in (*self._start, *self._kept))

    def keep_start(self) -> None:
        """Copy the weights that distances are measured from. Only the first call does."""
        if not self._start:
            self._start = [parameter.detach().clone() for parameter in self.parameters]

    def taking_over(self, old: Meter) -> Meter:
        """Take from `old` the start of the parameters that both measure, so that distances go on; returns itself."""
        starts = {id(parameter): start for parameter, start in zip(old.parameters, old._start, strict=bool(old._start))}
        self._start = [
            starts[id(parameter)] if id(parameter) in starts else parameter.detach().clone()
            for parameter in self.parameters
        ]
        return self

    # --------------------------------------------------------------------------------------------- before the step

    def measure_raw(self, index: int) -> None:
        """Measure one gradient as the backward pass has just left it; the last call before the step counts."""
        gradient = self.parameters[index].grad
        if gradient is not None:
            flat = sums.flatten(gradient, self._orders[index])
            self._raw[index] = sums.dot(flat, flat, torch.float64 if flat.device.type != "mps" else torch.float32)

    def before(self, plan: Plan, grad_scale: Tensor | None) -> None:
        """Measure the gradients as they enter the step, and copy what the step will change.

        `grad_scale` is what a fused optimizer will divide the gradients by inside its step, if it does.
        """
        self._on_cpu = all(parameter.device.type == "cpu" for parameter in self.parameters)
        self._cells = {reduction: [None] * self._count for reduction in plan.reductions}
        self._histograms = {kind: [] for kind in plan.histograms}
        self._copied = grad_scale is not None or self._overwrites_gradients
        if plan.is_empty and not self._overwrites_gradients:
            self._gradients = [None] * self._count
            return
        for index, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            if gradient is not None and self._copied:
                gradient = gradient / grad_scale if grad_scale is not None else gradient.clone()
            self._gradients[index] = gradient
        self._versions = [0 if gradient is None else gradient._version for gradient in self._gradients]
        if Reduction.RAW_GRADIENT_NORM in self._cells:
            self._cells[Reduction.RAW_GRADIENT_NORM] = self._raw
            self._raw = [None] * self._count
        self._present = tuple(gradient is not None for gradient in self._gradients)
        due = [reduction for reduction in _OF_THE_GRADIENT if reduction in self._cells]
        if self._nonfinite_is_implied:
            due = [reduction for reduction in due if reduction is not Reduction.GRADIENT_NONFINITE]
        for index, gradient in enumerate(self._gradients):
            if gradient is None:
                continue
            g = sums.flatten(gradient, self._orders[index])
            dtype = sums.accumulator(g)
            for reduction in due:
                self._cells[reduction][index] = self._of_gradient(reduction, index, g, dtype, _square)
        if "gradients" in self._histograms:
            self._histograms["gradients"] = [
                log_histogram(p.new_empty(0) if g is None else g)
                for p, g in zip(self.parameters, self._gradients, strict=True)
            ]
        if plan.needs_weights_before:
            self._keep([parameter.detach() for parameter in self.parameters])
            self._holds_gradient = [False] * self._count

    @property
    def _nonfinite_is_implied(self) -> bool:
        """On a CPU a finite norm says, without another pass, that every element is finite."""
        return self._on_cpu and Reduction.GRADIENT_NORM in self._cells

    def _of_gradient(
        self, reduction: Reduction, index: int, g: Tensor, dtype: torch.dtype, size: Callable[[Tensor, torch.dtype], Tensor]
    ) -> Tensor | None:
        match reduction:
            case Reduction.GRADIENT_NORM:
                return size(g, dtype)
            case Reduction.GRADIENT_SUM:
                return sums.total(g, dtype)
            case Reduction.GRADIENT_SPREAD:
                return sums.spread(g, sums.total(g, dtype) / g.numel(), dtype)
            case Reduction.GRADIENT_ZEROS:
                return sums.zeros(g)
            case Reduction.GRADIENT_NONFINITE:
                return sums.nonfinite(g)
        if not self._holds_gradient[index]:
            return None
        previous = self._flat(self._kept[index], index)
        return size(previous, dtype) if reduction is Reduction.PREVIOUS_GRADIENT_NORM else sums.dot(g, previous, dtype)

    # ---------------------------------------------------------------------------------------------- after the step

    def after(self, plan: Plan, *, versions_tell: bool) -> Measurement | None:
        """Measure the weights and the update.

        `versions_tell` says whether a raised version counter of a gradient means that the step overwrote it; fused
        optimizers raise it although they do not.
        """
        if plan.is_empty:
            return None
        overwritten = versions_tell and not self._copied and any(
            gradient is not None and gradient._version != version
            for gradient, version in zip(self._gradients, self._versions, strict=True)
        )
        if overwritten:
            # From the next step on the gradients are copied first; what needs them after this one is not known.
            self._overwrites_gradients = True
            self._gradients = [None] * self._count
        for reduction in (Reduction.WEIGHT_NORM, Reduction.UPDATE_NORM, Reduction.START_DISTANCE, Reduction.UPDATE_DOT_GRADIENT):
            if reduction in self._cells:
                self._cells[reduction] = [
                    self._of_weights(reduction, index, sums.accumulator(parameter), _square)
                    for index, parameter in enumerate(self.parameters)
                ]
        if "weights" in self._histograms:
            self._histograms["weights"] = [log_histogram(p) for p in self.parameters]
        if "updates" in self._histograms:
            self._histograms["updates"] = [
                log_histogram(p - k) for p, k in zip(self.parameters, self._kept, strict=True)
            ]
        if not (plan.reductions or plan.histograms):
            return None
        return Measurement(
            values=self._table(plan),
            present=None if all(self._present) else self._present,
            histograms=self._histogram_tables() if plan.histograms else None,
        )

    def keep_gradients(self) -> None:
        """Keep the gradients of this step for the next one."""
        gradients = self._gradients
        if not any(gradient is not None for gradient in gradients):
            gradients = [parameter.grad for parameter in self.parameters]
        self._keep([p if g is None else g for p, g in zip(self.parameters, gradients, strict=True)])
        self._holds_gradient = [gradient is not None for gradient in gradients]

    def forget_gradients(self) -> None:
        """Let go of the references to the user's gradients, which would keep their memory from being freed."""
        self._gradients = [None] * self._count

    def _of_weights(
        self, reduction: Reduction, index: int, dtype: torch.dtype, size: Callable[[Tensor, torch.dtype], Tensor]
    ) -> Tensor | None:
        w = self._flat(self.parameters[index].detach(), index)
        if reduction is Reduction.WEIGHT_NORM:
            return size(w, dtype)
        if reduction is Reduction.START_DISTANCE:
            return _size_of_difference(w, self._flat(self._start[index], index), dtype, size)
        before = self._flat(self._kept[index], index)
        if reduction is Reduction.UPDATE_NORM:
            return _size_of_difference(w, before, dtype, size)
        gradient = self._gradients[index]
        return None if gradient is None else sums.difference_dot(w, before, self._flat(gradient, index), dtype)

    # --------------------------------------------------------------------------------------------------- handing over

    def _table(self, plan: Plan) -> Pending[NDArray[np.float64]]:
        """The reductions as a table, rows in the order of the plan; NaN where a cell is missing."""
        if self._on_cpu:
            table = np.full((len(plan.reductions), self._count), np.nan)
            for row, reduction in enumerate(plan.reductions):
                cells = self._cells[reduction]
                table[row] = [np.nan if cell is None else cell.item() for cell in cells]
            _take_roots(table, plan)
            self._mend(table, plan)
            return Known(table)
        return self._table_on_device(plan)

    def _table_on_device(self, plan: Plan) -> Pending[NDArray[np.float64]]:
        places: dict[torch.device, list[tuple[int, int]]] = {}
        values: dict[torch.device, list[Tensor]] = {}
        for row, reduction in enumerate(plan.reductions):
            for column, cell in enumerate(self._cells[reduction]):
                if cell is not None:
                    places.setdefault(cell.device, []).append((row, column))
                    values.setdefault(cell.device, []).append(cell)
        shape = (len(plan.reductions), self._count)

        def finish(arrived: list[Tensor]) -> NDArray[np.float64]:
            table = np.full(shape, np.nan)
            for device_places, column in zip(places.values(), arrived, strict=True):
                table[tuple(np.array(device_places).T)] = column.double().numpy()
            _take_roots(table, plan)
            return table

        return Resolved([Transfer(torch.stack(cells)) for cells in values.values()], finish)

    def _mend(self, table: NDArray[np.float64], plan: Plan) -> None:
        """Measure again, in float64, what over- or underflowed in the fast pass (on a CPU, where looking is free)."""
        rows = {reduction: row for row, reduction in enumerate(plan.reductions)}
        sizes = self.sizes
        for reduction in _NORMS:
            row = rows.get(reduction)
            if row is None or reduction is Reduction.RAW_GRADIENT_NORM:
                continue
            safe = (np.square(table[row]) > sizes * _SAFE_PRODUCT_PER_ELEMENT) & (table[row] < np.inf)
            for index in np.flatnonzero(~safe):
                self._mend_cell(table, rows, reduction, int(index))
        if self._nonfinite_is_implied and Reduction.GRADIENT_NONFINITE in rows:
            norms = table[rows[Reduction.GRADIENT_NORM]]
            table[rows[Reduction.GRADIENT_NONFINITE]] = np.where(self._present, 0.0, np.nan)
            for index in np.flatnonzero(~np.isfinite(norms)):
                self._mend_cell(table, rows, Reduction.GRADIENT_NONFINITE, int(index))
        for reduction, (first, second) in _FACTORS.items():
            if reduction in rows and first in rows and second in rows:
                with np.errstate(over="ignore", invalid="ignore"):
                    bound = table[rows[first]] * table[rows[second]]
                unsafe = np.isfinite(bound) & ~((bound > sizes * _SAFE_PRODUCT_PER_ELEMENT) & np.isfinite(table[rows[reduction]]))
                for index in np.flatnonzero(unsafe & (bound != 0)):
                    self._mend_cell(table, rows, reduction, int(index))

    def _mend_cell(
        self, table: NDArray[np.float64], rows: dict[Reduction, int], reduction: Reduction, index: int
    ) -> None:
        if reduction in _OF_THE_GRADIENT:
            gradient = self._gradients[index]
            if gradient is None:
                return
            g = self._flat(gradient, index)
            cell = self._of_gradient(reduction, index, g, torch.float64, _scaled)
        else:
            cell = self._of_weights(reduction, index, torch.float64, _scaled)
        if cell is not None:
            table[rows[reduction], index] = cell.item()

    def _histogram_tables(self) -> Pending[dict[str, NDArray[np.int64]]]:
        kinds = list(self._histograms)
        by_tensor = [Transfer(counts) for counted in self._histograms.values() for counts in counted]
        tensors = self._count

        def finish(arrived: list[Tensor]) -> dict[str, NDArray[np.int64]]:
            table = np.stack([counts.numpy() for counts in arrived]).reshape(len(kinds), tensors, BIN_COLUMNS)
            return dict(zip(kinds, table, strict=True))

        return Resolved(by_tensor, finish)

    # ---------------------------------------------------------------------------------------------------------- copies

    def _flat(self, tensor: Tensor, index: int) -> Tensor:
        return sums.flatten(tensor, self._orders[index])

    def _keep(self, tensors: Sequence[Tensor]) -> None:
        if not self._kept:
            self._kept = [torch.empty_like(parameter, requires_grad=False) for parameter in self.parameters]
        for kept, tensor in zip(self._kept, tensors, strict=True):
            kept.copy_(tensor)

    def follow_devices(self) -> None:
        """Move the copies to where the parameters are now, after the user has moved the model."""
        for copies in (self._start, self._kept):
            for index, (copy, parameter) in enumerate(zip(copies, self.parameters, strict=bool(copies))):
                if copy.device != parameter.device or copy.dtype != parameter.dtype:
                    copies[index] = copy.to(device=parameter.device, dtype=parameter.dtype)


def _square(vector: Tensor, dtype: torch.dtype) -> Tensor:
    return sums.dot(vector, vector, dtype)


def _scaled(vector: Tensor, _: torch.dtype) -> Tensor:
    return sums.scaled_norm(vector)


def _size_of_difference(
    first: Tensor, second: Tensor, dtype: torch.dtype, size: Callable[[Tensor, torch.dtype], Tensor]
) -> Tensor:
    if size is _square:
        return sums.difference_dot(first, second, None, dtype)
    return size(first.to(dtype) - second.to(dtype), dtype)


def _take_roots(table: NDArray[np.float64], plan: Plan) -> None:
    for row, reduction in enumerate(plan.reductions):
        if reduction in _NORMS:
            np.sqrt(table[row], out=table[row])
