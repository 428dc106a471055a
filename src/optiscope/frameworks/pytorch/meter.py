"""Measures the parameters of one optimizer around its step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiscope.frameworks.pytorch import sums
from optiscope.frameworks.pytorch.counts import BIN_COLUMNS, log_histogram
from optiscope.frameworks.pytorch.large import LargeTensors
from optiscope.frameworks.pytorch.recipe import Recipe, Trust
from optiscope.frameworks.pytorch.small import MOST_ELEMENTS, SmallTensors
from optiscope.frameworks.pytorch.sums import Cell
from optiscope.frameworks.pytorch.transfer import Resolved, Transfer
from optiscope.recording.measurement import Measurement
from optiscope.recording.pending import Known, Later, Pending
from optiscope.recording.plan import Plan
from optiscope.recording.reductions import Reduction

Item = TypeVar("Item")
_CANARY_REACH = 2
"""The smallest of so many tensors at either end is looked at: in most networks the bias of the layer there."""
_EMPTY_RECIPE = Recipe((), on_cpu=True)


class Meter:
    """Measures, step by step, what plans ask for. Holds two copies of the parameters.

    There is a third only while a step is taken by an optimizer that overwrites its gradients.
    """

    def __init__(self, parameters: Sequence[Tensor], starts: Mapping[int, Tensor] | None = None) -> None:
        """`starts` are weights to measure distances from, by the id of the parameter; by default those of now."""
        self.parameters = tuple(parameters)
        self.overwrites_gradients = False
        """Whether the optimizer was seen to change gradients in its step; they are then copied before each."""
        self.is_checked = False
        """Whether it is known if the optimizer does: only a step with gradients tells."""
        self._count = len(self.parameters)
        self._on_cpu = all(_is_on_cpu(parameter) for parameter in parameters)
        self._identity = self._kinds()
        small = {index for index, parameter in enumerate(parameters) if _is_small(parameter)}
        self._small_at = sorted(small)
        self._large_at = [index for index in range(self._count) if index not in small]
        self._small = SmallTensors([self.parameters[index] for index in self._small_at])
        self._large = LargeTensors([self.parameters[index] for index in self._large_at])
        self._parts: dict[int, tuple[SmallTensors | LargeTensors, int]] = {
            **{index: (self._small, place) for place, index in enumerate(self._small_at)},
            **{index: (self._large, place) for place, index in enumerate(self._large_at)},
        }
        trained = [p for p in self.parameters if p.requires_grad and 0 < p.numel() <= MOST_ELEMENTS]
        ends = (trained[:_CANARY_REACH], trained[-_CANARY_REACH:])
        self._canaries = list({id(p): p for end in ends if end for p in [min(end, key=Tensor.numel)]}.values())
        sizes = np.array([p.numel() * (2 if p.is_complex() else 1) for p in self.parameters], dtype=np.float64)
        dtypes = [torch.float64 if i in small else sums.summing_dtype(p) for i, p in enumerate(self.parameters)]
        self._trust = Trust(sizes, dtypes)
        self._recipes: dict[tuple[Reduction, ...], Recipe] = {}
        self._starts = dict(starts or {})
        self._has_start = False
        # What follows is of the step that is being measured.
        self._recipe = _EMPTY_RECIPE
        self._gradients: list[Tensor | None] = [None] * self._count
        self._versions: list[int] = []
        self._are_copies = False
        self._are_spoilt = False
        self._present: tuple[bool, ...] = ()
        self._summer = sums.Summer()
        self._raw: list[Cell] = [np.nan] * self._count
        self._small_sums: list[NDArray[np.float64]] = []
        self._large_sums: list[list[Cell]] = []
        self._histograms: dict[str, list[Tensor]] = {}

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Number of elements of each parameter, a complex one counted as two."""
        return self._trust.sizes

    def held_bytes(self) -> int:
        """Memory of the lasting copies, in bytes."""
        return self._small.held_bytes() + self._large.held_bytes()

    def keep_start(self) -> None:
        """Copy the weights that distances are measured from. Only the first call does."""
        if not self._has_start:
            self._has_start = True
            starts = [self._starts.get(id(parameter), parameter) for parameter in self.parameters]
            self._small.keep_start(self._of(self._small_at, starts))
            self._large.keep_start(self._of(self._large_at, starts))
            self._starts = {}

    def successor(self, parameters: Sequence[Tensor]) -> Meter:
        """A meter of other parameters, or of the same after they were moved or converted, with the same start."""
        if not self._has_start:
            return Meter(parameters, self._starts)
        starts = {}
        for index, parameter in enumerate(self.parameters):
            part, place = self._part_of(index)
            start = part.start_of(place)
            if parameter.is_complex():
                start = torch.view_as_complex(start.reshape(-1, 2))
            starts[id(parameter)] = start
        meter = Meter(parameters, starts)
        meter.overwrites_gradients = self.overwrites_gradients
        meter.is_checked = self.is_checked
        meter.keep_start()
        return meter

    @property
    def is_outdated(self) -> bool:
        """Whether the user has moved or converted the model since."""
        return self._identity != self._kinds()

    def _kinds(self) -> list[tuple[torch.device, torch.dtype]]:
        return [(parameter.device, parameter.dtype) for parameter in self.parameters]

    def _part_of(self, index: int) -> tuple[SmallTensors | LargeTensors, int]:
        return self._parts[index]

    @staticmethod
    def _of(places: Sequence[int], tensors: Sequence[Item]) -> list[Item]:
        return [tensors[index] for index in places]

    # --------------------------------------------------------------------------------------------- before the step

    def is_alarmed(self) -> bool:
        """Whether a gradient is not finite, told by the smallest tensors near the input and near the output.

        What goes wrong anywhere in a backward pass reaches the layers near the input, and what is wrong with the loss
        those near the output, so these few numbers tell nearly always; and they cost a few microseconds at each step.
        On an accelerator looking would mean to wait, so nothing is told there.
        """
        return self._on_cpu and any(
            (gradient := canary.grad) is not None and not gradient.is_sparse and not isfinite(_probe(gradient))
            for canary in self._canaries
        )

    def measure_raw(self, index: int) -> None:
        """Measure one gradient as the backward pass has just left it; the last call before the step counts."""
        gradient = self.parameters[index].grad
        if gradient is not None:
            flat = sums.flatten(gradient, None)
            (self._raw[index],) = self._summer.gradient_sums((Reduction.GRADIENT_NORM,), flat, None)

    def before(self, plan: Plan, grad_scale: Tensor | None) -> None:
        """Measure the gradients as they enter the step, and copy what the step will change.

        `grad_scale` is what a fused optimizer will divide the gradients by inside its step, if it does.
        """
        self._take_gradients(grad_scale)
        if plan.is_empty:
            return
        self._recipe = recipe = self._recipe_of(plan)
        small, large = self._of(self._small_at, self._gradients), self._of(self._large_at, self._gradients)
        with np.errstate(all="ignore"):  # NaN and infinity are what is looked for
            self._small_sums = [self._small.gradient_sums(recipe.of_gradient, small)]
            self._large_sums = [self._large.gradient_sums(recipe.of_gradient, large)]
        self._histograms = {kind: [] for kind in plan.histograms}
        if "gradients" in self._histograms:
            self._histograms["gradients"] = [
                log_histogram(p.new_empty(0) if g is None else g)
                for p, g in zip(self.parameters, self._gradients, strict=True)
            ]
        if plan.needs_weights_before:
            self._small.keep_weights()
            self._large.keep_weights()

    def _take_gradients(self, grad_scale: Tensor | None) -> None:
        gradients = [parameter.grad for parameter in self.parameters]
        self._are_copies = grad_scale is not None or self.overwrites_gradients
        if grad_scale is not None:
            gradients = [g if g is None else g / grad_scale for g in gradients]
        elif self.overwrites_gradients:
            gradients = [g if g is None else g.clone() for g in gradients]
        self._gradients = gradients
        self._versions = [0 if g is None else g._version for g in gradients]
        self._are_spoilt = False
        self._present = tuple([g is not None for g in gradients])

    def _recipe_of(self, plan: Plan) -> Recipe:
        if plan.reductions not in self._recipes:
            self._recipes[plan.reductions] = Recipe(plan.reductions, on_cpu=self._on_cpu)
        return self._recipes[plan.reductions]

    # ---------------------------------------------------------------------------------------------- after the step

    def after(self, plan: Plan, *, versions_tell: bool) -> Measurement | None:
        """Measure the weights and the update.

        `versions_tell` says whether a raised version counter of a gradient means that the step overwrote it; fused
        optimizers raise it although they do not.
        """
        self.is_checked = self.is_checked or any(self._present)
        if versions_tell and not self._are_copies and self._have_changed():
            # From the next step on the gradients are copied first; what needs them after this one is not known.
            self.overwrites_gradients = self._are_spoilt = True
            self._gradients = [None] * self._count
        if not (plan.reductions or plan.histograms):
            return None
        recipe = self._recipe
        small, large = self._of(self._small_at, self._gradients), self._of(self._large_at, self._gradients)
        with np.errstate(all="ignore"):
            self._small_sums.append(self._small.weight_sums(recipe.of_weights, small))
            self._large_sums.append(self._large.weight_sums(recipe.of_weights, large))
        if "weights" in self._histograms:
            self._histograms["weights"] = [log_histogram(p) for p in self.parameters]
        if "updates" in self._histograms:
            self._histograms["updates"] = [log_histogram(self._update(index)) for index in range(self._count)]
        return Measurement(
            values=self._on_host() if self._on_cpu else self._on_the_way(),
            present=None if all(self._present) else self._present,
            histograms=self._histogram_tables() if plan.histograms else None,
        )

    def _have_changed(self) -> bool:
        return any(
            gradient is not None and gradient._version != version
            for gradient, version in zip(self._gradients, self._versions, strict=True)
        )

    def keep_gradients(self, plan: Plan) -> None:
        """Keep the gradients of the step that `plan` was for, for the next one."""
        gradients = self._gradients
        if plan.is_empty and not self._are_copies:
            gradients = [parameter.grad for parameter in self.parameters]
        if self._are_spoilt:
            gradients = [None] * self._count
        are_measured = gradients is self._gradients and not plan.is_empty
        self._small.keep_gradients(self._of(self._small_at, gradients), are_measured=are_measured)
        self._large.keep_gradients(self._of(self._large_at, gradients), are_measured=are_measured)

    def forget_gradients(self) -> None:
        """Let go of the references to the user's gradients, which would keep their memory from being freed."""
        self._gradients = [None] * self._count

    # --------------------------------------------------------------------------------------------------- handing over

    def _on_host(self) -> Pending[NDArray[np.float64]]:
        """The reductions on a CPU, where looking at a number is free: what over- or underflowed is measured again now.

        In the usual case nothing did, which a quick look tells, and the table is left to the writer thread.
        """
        recipe, trust, small, raw = self._recipe, self._trust, self._small_sums, self._take_raw()
        large = [[c.item() if isinstance(c, Tensor) else c for c in cells] for cells in self._large_sums]

        def table() -> NDArray[np.float64]:
            whole = self._table(recipe, large, small, raw)
            recipe.finish(whole, trust)
            return whole

        if self._look_sound(large):
            return Later(lambda: table()[recipe.asked])
        whole = table()
        for row, index in recipe.doubtful(whole, trust):
            whole[row, index] = self._careful(recipe.rows[row], index)
        return Known(whole[recipe.asked])

    def _look_sound(self, large: Sequence[Sequence[float]]) -> bool:
        if not all(self._present) or not all(np.isfinite(sums).all() for sums in self._small_sums[:1]):
            return False
        recipe, trust = self._recipe, self._trust
        first, second = len(recipe.of_gradient), len(recipe.of_weights)
        return all(
            recipe.is_sound(
                large[0][place * first : (place + 1) * first],
                large[1][place * second : (place + 1) * second],
                size=trust.sizes[index],
                safe_product=trust.safe_product[index],
                safe_spread=trust.safe_spread[index],
            )
            for place, index in enumerate(self._large_at)
        )

    def _on_the_way(self) -> Pending[NDArray[np.float64]]:
        """The reductions when the devices have sent them, in one transfer for each."""
        recipe, trust, small = self._recipe, self._trust, self._small_sums
        cells = [*self._take_raw(), *self._large_sums[0], *self._large_sums[1]]
        first, second = self._count, self._count + len(self._large_sums[0])
        places: dict[torch.device, list[int]] = {}
        for place, cell in enumerate(cells):
            if isinstance(cell, Tensor):
                places.setdefault(cell.device, []).append(place)
        stacked = [torch.stack([c for i in group if isinstance(c := cells[i], Tensor)]) for group in places.values()]

        def collect(arrived: list[Tensor]) -> NDArray[np.float64]:
            numbers = np.array([np.nan if isinstance(cell, Tensor) else cell for cell in cells])
            for group, values in zip(places.values(), arrived, strict=True):
                numbers[group] = values.double().numpy()
            table = self._table(recipe, [numbers[first:second], numbers[second:]], small, numbers[:first])
            recipe.finish(table, trust)
            return table[recipe.asked]

        return Resolved([Transfer(values) for values in stacked], collect)

    def _take_raw(self) -> list[Cell]:
        raw, self._raw = self._raw, [np.nan] * self._count
        return raw

    def _table(
        self,
        recipe: Recipe,
        large: Sequence[Sequence[float] | NDArray[np.float64]],
        small: Sequence[NDArray[np.float64]],
        raw: Sequence[Cell] | NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The sums as a table with a row for each reduction of the recipe. The large ones come tensor by tensor."""
        table = np.full((len(recipe.rows), self._count), np.nan)
        row = 0
        for reductions, of_large, of_small in zip((recipe.of_gradient, recipe.of_weights), large, small, strict=True):
            rows = slice(row, row + len(reductions))
            table[rows, self._small_at] = of_small
            table[rows, self._large_at] = np.array(of_large).reshape(len(self._large_at), len(reductions)).T
            row += len(reductions)
        if recipe.raw is not None:
            table[recipe.raw] = [float(cell) for cell in raw]
        return table

    def _careful(self, reduction: Reduction, index: int) -> float:
        """One reduction of one tensor again, slowly; NaN where it cannot be had."""
        if reduction is Reduction.WEIGHT_NORM:
            return sums.scaled_norm(self._weights(index))
        if reduction is Reduction.START_DISTANCE:
            return sums.scaled_norm(_difference(self._weights(index), self._start(index)))
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

    def _start(self, index: int) -> Tensor:
        part, place = self._part_of(index)
        return part.start_of(place)

    def _update(self, index: int) -> Tensor:
        part, place = self._part_of(index)
        return _difference(self._weights(index), part.before_of(place))

    def _flat(self, tensor: Tensor, index: int) -> Tensor:
        part, place = self._part_of(index)
        return part.flat(tensor, place)

    def _histogram_tables(self) -> Pending[dict[str, NDArray[np.int64]]]:
        kinds = list(self._histograms)
        # One transfer a tensor only where the model is spread over devices.
        by_tensor = [torch.stack(same) for same in zip(*self._histograms.values(), strict=True)]
        if len({counts.device for counts in by_tensor}) == 1:
            by_tensor = [torch.stack(by_tensor)]
        shape = (self._count, len(kinds), BIN_COLUMNS)

        def finish(arrived: list[Tensor]) -> dict[str, NDArray[np.int64]]:
            table = np.concatenate([counts.numpy().reshape(-1, *shape[1:]) for counts in arrived])
            return {kind: table[:, place] for place, kind in enumerate(kinds)}

        return Resolved([Transfer(counts) for counts in by_tensor], finish)


def _probe(gradient: Tensor) -> float:
    return float(gradient.real.sum() + gradient.imag.sum() if gradient.is_complex() else gradient.sum())


def _is_on_cpu(parameter: Tensor) -> bool:
    return parameter.device.type == "cpu"


def _is_small(parameter: Tensor) -> bool:
    elements = parameter.numel() * (2 if parameter.is_complex() else 1)
    return _is_on_cpu(parameter) and 0 < elements <= MOST_ELEMENTS


def _difference(first: Tensor, second: Tensor) -> Tensor:
    return first.to(torch.float64) - second.to(torch.float64)
