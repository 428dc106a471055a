"""The snapshots of runs as rows of one tall matrix that is never held in memory."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from optiscope.errors import ArgumentError, RunDamaged, UnknownName

if TYPE_CHECKING:
    from optiscope.runs import Run

_BLOCK_BYTES = 32 * 2**20


@dataclass(frozen=True, kw_only=True)
class SnapshotMatrix:
    """One row per finite snapshot, one column per number in the chosen parameter tensors."""

    runs: tuple[Run, ...]
    """The runs, in the order of their rows."""
    steps: tuple[tuple[int, ...], ...]
    """Steps of the rows of each run: those of its snapshots that are finite."""
    nonfinite: tuple[tuple[int, ...], ...]
    """Steps of the snapshots of each run that hold NaN or infinity and are left out."""
    damaged: tuple[int, ...]
    """Number of snapshots of each run whose file cannot be read; they are left out."""
    shapes: Mapping[str, tuple[int, ...]]
    """Shape of each chosen parameter tensor, in network order. A complex tensor has a last axis of two."""
    missing: tuple[str, ...]
    """Tensors that some snapshots hold and others do not, such as parameters added later; they are left out."""

    @classmethod
    def of(cls, runs: Sequence[Run], *, parameters: str | None = None) -> SnapshotMatrix:
        """Choose the tensors that all snapshots of all `runs` hold and whose names match the glob `parameters`.

        Raises:
            ArgumentError: a run has no snapshot, or the runs are of different models.
            UnknownName: no tensor matches.
        """
        readable = [[step for step in run.snapshots.steps if _is_readable(run, step)] for run in runs]
        shapes, missing = _common_shapes(runs, readable)
        if parameters is not None:
            chosen = {name: shape for name, shape in shapes.items() if fnmatch.fnmatchcase(name, parameters)}
            if not chosen:
                raise UnknownName.among(parameters, shapes, kind="pattern of parameter names that matches any")
            shapes = chosen
        finite: list[tuple[int, ...]] = []
        broken: list[tuple[int, ...]] = []
        for run, steps in zip(runs, readable, strict=True):
            good = [step for step in steps if _is_finite(run.snapshots.load(step), shapes)]
            finite.append(tuple(good))
            broken.append(tuple(step for step in steps if step not in set(good)))
        return cls(
            runs=tuple(runs),
            steps=tuple(finite),
            nonfinite=tuple(broken),
            damaged=tuple(len(run.snapshots) - len(steps) for run, steps in zip(runs, readable, strict=True)),
            shapes=shapes,
            missing=missing,
        )

    @property
    def rows(self) -> int:
        """Finite snapshots of all runs together."""
        return sum(len(steps) for steps in self.steps)

    @property
    def columns(self) -> int:
        """Numbers in the chosen tensors together."""
        return sum(_size(shape) for shape in self.shapes.values())

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """The matrix, some columns at a time: arrays [rows, columns of the block] of at most about 32 MiB."""
        width = max(1, _BLOCK_BYTES // (8 * max(1, self.rows)))
        for pieces in _pieces(self.shapes, width):
            block = np.empty((self.rows, sum(stop - start for _, start, stop in pieces)))
            for row, tensors in enumerate(self._tensors()):
                column = 0
                for name, start, stop in pieces:
                    block[row, column : column + stop - start] = _flat(tensors[name])[start:stop]
                    column += stop - start
            yield block

    def column(self, name: str, index: int) -> Float[np.ndarray, " rows"]:
        """One number of the tensor `name`, at the flat `index`, in every row."""
        return np.array([_flat(tensors[name])[index] for tensors in self._tensors()], dtype=np.float64)

    def most_moved(self, count: int) -> tuple[tuple[str, int], ...]:
        """The `count` numbers whose change between first and last snapshot, summed over the runs, is largest.

        Returned as (tensor name, flat index), largest first.
        """
        ends = [(run, steps[0], steps[-1]) for run, steps in zip(self.runs, self.steps, strict=True) if steps]
        moved = {name: np.zeros(_size(shape)) for name, shape in self.shapes.items()}
        for run, first, last in ends:
            before, after = run.snapshots.load(first), run.snapshots.load(last)
            for name in moved:
                moved[name] += np.abs(_flat(after[name]).astype(np.float64) - _flat(before[name]))
        candidates: list[tuple[float, str, int]] = []
        for name, change in moved.items():
            top = np.argsort(-change, kind="stable")[:count]
            candidates += [(float(change[index]), name, int(index)) for index in top]
        candidates.sort(key=lambda candidate: -candidate[0])
        return tuple((name, index) for _, name, index in candidates[:count])

    def starts(self) -> tuple[float, float]:
        """Largest distance of a run's start from the first run's, and mean distance from a run's start to its end."""
        ends = [(run, steps[0], steps[-1]) for run, steps in zip(self.runs, self.steps, strict=True) if steps]
        origin = ends[0][0].snapshots.load(ends[0][1])
        apart, travelled = [], []
        for run, first, last in ends:
            before, after = run.snapshots.load(first), run.snapshots.load(last)
            apart.append(self._distance(origin, before))
            travelled.append(self._distance(before, after))
        return max(apart), float(np.mean(travelled))

    def _distance(self, a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]]) -> float:
        squares = (((_flat(a[name]).astype(np.float64) - _flat(b[name])) ** 2).sum() for name in self.shapes)
        return float(np.sqrt(sum(squares)))

    def _tensors(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        for run, steps in zip(self.runs, self.steps, strict=True):
            for step in steps:
                yield run.snapshots.load(step)


def _is_readable(run: Run, step: int) -> bool:
    try:
        run.snapshots.load(step)
    except RunDamaged:
        return False
    return True


def _common_shapes(
    runs: Sequence[Run], readable: Sequence[Sequence[int]]
) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    per_run: list[dict[str, tuple[int, ...]]] = []
    missing: dict[str, None] = {}
    for run, steps in zip(runs, readable, strict=True):
        if not steps:
            raise ArgumentError(
                f"The run {run.name!r} has no readable snapshots of its weights: its path is not known. Record with a "
                "snapshot schedule, such as snapshots=log_spaced(50), and train again."
            )
        states = {tensor.get("name") for tensor in run.model.get("tensors", ()) if tensor.get("is_state")}
        shapes: dict[str, tuple[int, ...]] | None = None
        for step in steps:
            tensors = run.snapshots.load(step)
            # Counters, masks and statistics are stored too, but they do not move through the space of the weights.
            found = {
                name: _real_shape(tensor)
                for name, tensor in tensors.items()
                if tensor.dtype.kind in "fc" and name not in states
            }
            if shapes is None:
                shapes = found
                continue
            differing = [name for name in {**shapes, **found} if shapes.get(name) != found.get(name)]
            missing.update(dict.fromkeys(differing))
            shapes = {name: shape for name, shape in shapes.items() if name not in differing}
        per_run.append(shapes or {})
    first = per_run[0]
    for run, shapes in zip(runs[1:], per_run[1:], strict=True):
        differing = [name for name in {**first, **shapes} if first.get(name) != shapes.get(name)]
        if differing:
            raise ArgumentError(
                f"The runs {runs[0].name!r} and {run.name!r} are of different models: they share no common plane. "
                f"Differing parameters: {', '.join(differing[:5])}{' …' if len(differing) > 5 else ''}. Project runs "
                "of one model, or restrict to what they share with parameters='…'."
            )
    return first, tuple(missing)


def _pieces(shapes: Mapping[str, tuple[int, ...]], width: int) -> Iterator[list[tuple[str, int, int]]]:
    """Cut the columns into groups of (tensor name, first, one past last) of at most `width` numbers together."""
    group: list[tuple[str, int, int]] = []
    room = width
    for name, shape in shapes.items():
        start, size = 0, _size(shape)
        while start < size:
            stop = min(size, start + room)
            group.append((name, start, stop))
            room -= stop - start
            start = stop
            if room == 0:
                yield group
                group, room = [], width
    if group:
        yield group


def _is_finite(tensors: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return all(bool(np.isfinite(_flat(tensors[name])).all()) for name in shapes)


def _flat(tensor: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(tensor).reshape(-1)
    return array.view(array.real.dtype) if np.iscomplexobj(array) else array


def _real_shape(tensor: NDArray[Any]) -> tuple[int, ...]:
    shape = tuple(np.shape(tensor))
    return (*shape, 2) if np.iscomplexobj(tensor) else shape


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
