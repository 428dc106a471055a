"""Measures the parameters of one optimizer around its step."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

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

_MENDABLE_NORMS = frozenset(
    {Reduction.GRADIENT_NORM, Reduction.WEIGHT_NORM, Reduction.UPDATE_NORM, Reduction.START_DISTANCE}
)
"""Norms whose tensors are still at hand after the step."""
_NORMS = _MENDABLE_NORMS | {Reduction.PREVIOUS_GRADIENT_NORM, Reduction.RAW_GRADIENT_NORM}
"""Measured as a sum of squares; the root is taken at the end."""
_FACTORS = {
    Reduction.UPDATE_DOT_GRADIENT: (Reduction.UPDATE_NORM, Reduction.GRADIENT_NORM),
    Reduction.GRADIENT_DOT_PREVIOUS: (Reduction.GRADIENT_NORM, Reduction.PREVIOUS_GRADIENT_NORM),
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
        self.sizes = np.array([p.numel() * (2 if p.is_complex() else 1) for p in self.parameters], dtype=np.float64)
        """Number of elements of each parameter, a complex one counted as two."""
        self._orders = [sums.memory_order(parameter) for parameter in parameters]
        self._count = len(self.parameters)
        self._start: list[Tensor] = []
        self._kept: list[Tensor] = []
        self._holds_gradient = [False] * self._count
        self._gradients: list[Tensor | None] = [None] * self._count
        self._versions: list[int] = []
        self._copied = False
        self.overwrites_gradients = False
        """Whether the optimizer was seen to change gradients in its step; they are then copied before each."""
        self._are_spoilt = False
        self._on_cpu = True
        self._cells: dict[Reduction, list[Tensor | None]] = {}
        self._raw: list[Tensor | None] = [None] * self._count
        self._present: tuple[bool, ...] = ()
        self._kept_norms: list[Tensor | None] = []
        self._no_cells: list[Tensor | None] = [None] * self._count
        self._histograms: dict[str, list[Tensor]] = {}

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
            measured = sums.gradient_sums({Reduction.GRADIENT_NORM}, self._flat(gradient, index), None)
            self._raw[index] = measured[Reduction.GRADIENT_NORM]

    def before(self, plan: Plan, grad_scale: Tensor | None) -> None:
        """Measure the gradients as they enter the step, and copy what the step will change.

        `grad_scale` is what a fused optimizer will divide the gradients by inside its step, if it does.
        """
        self._on_cpu = all(parameter.device.type == "cpu" for parameter in self.parameters)
        self._cells = {reduction: [None] * self._count for reduction in plan.reductions}
        self._histograms = {kind: [] for kind in plan.histograms}
        self._copied = grad_scale is not None or self.overwrites_gradients
        if plan.is_empty and not self.overwrites_gradients:
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
        wanted = self._wanted_of_gradient(plan)
        for index, gradient in enumerate(self._gradients):
            if gradient is not None and wanted:
                previous = self._flat(self._kept[index], index) if self._holds_gradient[index] else None
                self._put(index, sums.gradient_sums(wanted, self._flat(gradient, index), previous))
        if "gradients" in self._histograms:
            self._histograms["gradients"] = [
                log_histogram(p.new_empty(0) if g is None else g)
                for p, g in zip(self.parameters, self._gradients, strict=True)
            ]
        if plan.needs_weights_before:
            self._keep([parameter.detach() for parameter in self.parameters])
            self._holds_gradient = [False] * self._count

    def _wanted_of_gradient(self, plan: Plan) -> Set[Reduction]:
        wanted = set(plan.reductions) & sums.OF_THE_GRADIENT
        if Reduction.GRADIENT_SPREAD in plan.reductions:
            # Σ (g − mean)² = Σ g² − (Σ g)²/n, which is mended where it loses digits.
            wanted |= {Reduction.GRADIENT_NORM, Reduction.GRADIENT_SUM}
        if self._on_cpu and Reduction.GRADIENT_NORM in wanted:
            # A finite norm says, without another pass, that every element is finite.
            wanted.discard(Reduction.GRADIENT_NONFINITE)
        if self._kept_norms and Reduction.PREVIOUS_GRADIENT_NORM in wanted:
            wanted.discard(Reduction.PREVIOUS_GRADIENT_NORM)
            self._cells[Reduction.PREVIOUS_GRADIENT_NORM] = self._kept_norms
        self._kept_norms = []
        return wanted

    def _put(self, index: int, measured: sums.Sums) -> None:
        for reduction, cell in measured.items():
            self._cells.setdefault(reduction, [None] * self._count)[index] = cell

    # ---------------------------------------------------------------------------------------------- after the step

    def after(self, plan: Plan, *, versions_tell: bool) -> Measurement | None:
        """Measure the weights and the update.

        `versions_tell` says whether a raised version counter of a gradient means that the step overwrote it; fused
        optimizers raise it although they do not.
        """
        if plan.is_empty:
            return None
        overwritten = (
            versions_tell
            and not self._copied
            and any(
                gradient is not None and gradient._version != version
                for gradient, version in zip(self._gradients, self._versions, strict=True)
            )
        )
        if overwritten:
            # From the next step on the gradients are copied first; what needs them after this one is not known.
            self.overwrites_gradients = self._are_spoilt = True
            self._gradients = [None] * self._count
        wanted = set(plan.reductions) & sums.OF_THE_WEIGHTS
        if wanted:
            has_start = Reduction.START_DISTANCE in wanted
            for index, parameter in enumerate(self.parameters):
                gradient = self._gradients[index]
                measured = sums.weight_sums(
                    wanted,
                    self._flat(parameter.detach(), index),
                    self._flat(self._kept[index], index) if plan.needs_weights_before else None,
                    self._flat(self._start[index], index) if has_start else None,
                    None if gradient is None else self._flat(gradient, index),
                )
                self._put(index, measured)
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
        if self._are_spoilt:
            self._are_spoilt = False
            self._holds_gradient = [False] * self._count
            return
        gradients = self._gradients
        if not any(gradient is not None for gradient in gradients):
            gradients = [parameter.grad for parameter in self.parameters]
        self._keep([p if g is None else g for p, g in zip(self.parameters, gradients, strict=True)])
        self._holds_gradient = [gradient is not None for gradient in gradients]
        self._kept_norms = self._cells.get(Reduction.GRADIENT_NORM, [])

    def forget_gradients(self) -> None:
        """Let go of the references to the user's gradients, which would keep their memory from being freed."""
        self._gradients = [None] * self._count

    # --------------------------------------------------------------------------------------------------- handing over

    def _table(self, plan: Plan) -> Pending[NDArray[np.float64]]:
        """The reductions as a table, rows in the order of the plan; NaN where a cell is missing."""
        rows = tuple(dict.fromkeys((*plan.reductions, *self._cells)))
        asked, sizes = len(plan.reductions), self.sizes
        if not self._on_cpu:
            return self._table_on_device(rows, lambda table: _finish(table, rows, sizes)[:asked])
        table = np.full((len(rows), self._count), np.nan)
        for row, reduction in enumerate(rows):
            table[row] = [
                np.nan if cell is None else cell.item() for cell in self._cells.get(reduction, self._no_cells)
            ]
        _finish(table, rows, sizes)
        with np.errstate(over="ignore", invalid="ignore"):
            self._mend(table, rows, sizes)
        return Known(table[:asked])

    def _table_on_device(
        self, rows: Sequence[Reduction], finish: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> Pending[NDArray[np.float64]]:
        places: dict[torch.device, list[tuple[int, int]]] = {}
        cells: dict[torch.device, list[Tensor]] = {}
        for row, reduction in enumerate(rows):
            for column, cell in enumerate(self._cells.get(reduction, self._no_cells)):
                if cell is not None:
                    places.setdefault(cell.device, []).append((row, column))
                    cells.setdefault(cell.device, []).append(cell)
        shape = (len(rows), self._count)

        def collect(arrived: list[Tensor]) -> NDArray[np.float64]:
            table = np.full(shape, np.nan)
            for device_places, values in zip(places.values(), arrived, strict=True):
                table[tuple(np.array(device_places).T)] = values.double().numpy()
            return finish(table)

        return Resolved([Transfer(torch.stack(values)) for values in cells.values()], collect)

    def _mend(self, table: NDArray[np.float64], rows: Sequence[Reduction], sizes: NDArray[np.float64]) -> None:
        """Measure again, in float64, what over- or underflowed in the fast pass (on a CPU, where looking is free)."""
        place = {reduction: row for row, reduction in enumerate(rows)}
        safe_square = sizes * _SAFE_PRODUCT_PER_ELEMENT
        norm_rows = [row for row, reduction in enumerate(rows) if reduction in _MENDABLE_NORMS]
        norms = table[norm_rows]
        unsafe = ~((norms * norms > safe_square) & (norms < np.inf))
        for row, index in np.argwhere(unsafe):
            table[norm_rows[row], index] = self._careful(rows[norm_rows[row]], int(index))
        if Reduction.GRADIENT_NONFINITE in place and Reduction.GRADIENT_NORM in place:
            counts = table[place[Reduction.GRADIENT_NONFINITE]]
            counts[:] = 0.0
            for index in np.flatnonzero(~np.isfinite(table[place[Reduction.GRADIENT_NORM]])):
                counts[index] = self._careful(Reduction.GRADIENT_NONFINITE, int(index))
        if Reduction.GRADIENT_SUM in place and Reduction.GRADIENT_NORM in place:
            summed, norms = table[place[Reduction.GRADIENT_SUM]], table[place[Reduction.GRADIENT_NORM]]
            for index in np.flatnonzero(~np.isfinite(summed) & np.isfinite(norms)):
                summed[index] = self._careful(Reduction.GRADIENT_SUM, int(index))
        if Reduction.GRADIENT_SPREAD in place:
            spreads, norms = table[place[Reduction.GRADIENT_SPREAD]], table[place[Reduction.GRADIENT_NORM]]
            squares = norms * norms
            # Where much of Σ g² is due to the mean, the subtraction has lost digits.
            for index in np.flatnonzero(~((spreads > 0.5 * squares) & (squares > safe_square) & (spreads < np.inf))):
                spreads[index] = self._careful(Reduction.GRADIENT_SPREAD, int(index))
        for reduction, (first, second) in _FACTORS.items():
            if reduction in place:
                products, bound = table[place[reduction]], table[place[first]] * table[place[second]]
                sound = (bound == 0) | ~(bound < np.inf) | ((bound > safe_square) & np.isfinite(products))
                for index in np.flatnonzero(~sound):
                    products[index] = self._careful(reduction, int(index))

    def _careful(self, reduction: Reduction, index: int) -> float:
        """One reduction of one tensor again, slowly; NaN where it cannot be had."""
        if reduction is Reduction.WEIGHT_NORM:
            return sums.scaled_norm(self._weights(index))
        if reduction is Reduction.START_DISTANCE:
            return sums.scaled_norm(_difference(self._weights(index), self._flat(self._start[index], index)))
        if reduction is Reduction.UPDATE_NORM:
            return sums.scaled_norm(self._update(index))
        gradient = self._gradients[index]
        if gradient is None:
            return np.nan
        g = self._flat(gradient, index)
        if reduction is Reduction.GRADIENT_NORM:
            return sums.scaled_norm(g)
        if reduction is Reduction.GRADIENT_NONFINITE:
            return float(g.numel() - torch.isfinite(g).sum())
        if reduction is Reduction.GRADIENT_SUM:
            return float(g.sum(dtype=torch.float64))
        if reduction is Reduction.GRADIENT_SPREAD:
            return sums.careful_spread(g)
        if reduction is Reduction.UPDATE_DOT_GRADIENT:
            return sums.careful_dot(self._update(index), g)
        return np.nan

    def _weights(self, index: int) -> Tensor:
        return self._flat(self.parameters[index].detach(), index)

    def _update(self, index: int) -> Tensor:
        return _difference(self._weights(index), self._flat(self._kept[index], index))

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
            kept.copy_(tensor.to_dense() if tensor.is_sparse else tensor)

    def follow_devices(self) -> None:
        """Move the copies to where the parameters are now, after the user has moved the model."""
        for copies in (self._start, self._kept):
            for index, (copy, parameter) in enumerate(zip(copies, self.parameters, strict=bool(copies))):
                if copy.device != parameter.device or copy.dtype != parameter.dtype:
                    copies[index] = copy.to(device=parameter.device, dtype=parameter.dtype)


def _difference(first: Tensor, second: Tensor) -> Tensor:
    return first.to(torch.float64) - second.to(torch.float64)


def _finish(table: NDArray[np.float64], rows: Sequence[Reduction], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """From sums to reductions: the spread from its two sums, and the roots of the sums of squares; in place."""
    place = {reduction: row for row, reduction in enumerate(rows)}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if Reduction.GRADIENT_SPREAD in place:
            squares, summed = table[place[Reduction.GRADIENT_NORM]], table[place[Reduction.GRADIENT_SUM]]
            table[place[Reduction.GRADIENT_SPREAD]] = np.maximum(squares - np.square(summed) / sizes, 0.0)
        for reduction in _NORMS & place.keys():
            np.sqrt(table[place[reduction]], out=table[place[reduction]])
    return table
