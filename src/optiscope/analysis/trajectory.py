"""The path of the weights through parameter space, seen in two or three dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, Int64

from optiscope.analysis.arguments import runs_of
from optiscope.analysis.projection import principal_components
from optiscope.analysis.random_walk import random_walk_variance
from optiscope.analysis.snapshot_matrix import SnapshotMatrix
from optiscope.analysis.wording import listed, percent
from optiscope.errors import ArgumentError, UnknownName
from optiscope.runs.wording import counted

if TYPE_CHECKING:
    from optiscope.runs import Run

Weight = tuple[str, tuple[int, ...] | int]
"""One number of a parameter tensor: its name and its index, such as ("fc1.weight", (0, 3))."""

_FEW_SNAPSHOTS = 10
_HARDLY_MORE = 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """Where one or several runs went, in one common plane or space."""

    method: Literal["pca", "weights"]
    """How the axes were chosen: principal components of all snapshots, or single weights."""
    run_names: tuple[str, ...]
    """Names of the runs."""
    steps: tuple[Int64[np.ndarray, " snapshots"], ...]
    """Optimizer steps of the snapshots of each run."""
    coordinates: tuple[Float[np.ndarray, "snapshots components"], ...]
    """Position of each snapshot of each run, in the unit of the weights. With "pca" the mean snapshot is the origin."""
    axis_titles: tuple[str, ...]
    """What each axis is, with the share of the movement that it holds."""
    explained_variance: Float[np.ndarray, " components"]
    """Share of the squared distance from the mean snapshot that lies along each axis, 0 to 1."""
    random_walk_variance: Float[np.ndarray, " components"]
    """The same shares for random walks in as many dimensions, seen at the same steps."""
    distance_off: tuple[Float[np.ndarray, " snapshots"], ...]
    """Distance of each snapshot from the plane that is shown, in the unit of the weights."""
    losses: tuple[Float[np.ndarray, " snapshots"], ...]
    """Training loss logged nearest to each snapshot (of the batch of that step); NaN without a loss."""
    left_out: str
    """Which snapshots were left out because they hold NaN or infinity, in a sentence; empty when none was."""
    weights: tuple[Weight, ...]
    """The weights on the axes with method "weights"; empty with "pca"."""
    parameters: int
    """Numbers in the weights that were projected."""
    sentences: tuple[str, ...]
    """What the picture shows and what it cannot show, in words. Warnings are among them."""

    def __repr__(self) -> str:
        snapshots = sum(len(steps) for steps in self.steps)
        return f"<Trajectory of {', '.join(self.run_names)}: {snapshots} snapshots in {self.components} dimensions>"

    @property
    def components(self) -> int:
        """Number of axes: 2 or 3."""
        return len(self.axis_titles)

    @property
    def is_too_few(self) -> bool:
        """Whether the snapshots are so few that any would lie in such a plane or space: shares then mean nothing."""
        return sum(len(steps) for steps in self.steps) < self.components + 2


def trajectory(
    runs: Run | Sequence[Run],
    method: Literal["pca", "weights"] = "pca",
    components: int = 2,
    weights: Sequence[Weight] | None = None,
    parameters: str | None = None,
) -> Trajectory:
    """Project the weight snapshots of one or several runs of a model into one plane.

    "pca" takes the directions in which the snapshots of all runs together differ most, by the Gram matrix, and states
    how much of the movement they hold beside how much they would hold of a random walk. "weights" takes single weights
    as axes: less of the movement, but numbers that mean something by themselves.

    Args:
        runs: a run, or several runs of the same model.
        method: "pca" or "weights".
        components: 2 for a plane, 3 for a space.
        weights: with "weights", which: pairs (parameter name, index). By default the ones that moved most.
        parameters: glob of parameter names, such as "fc*"; only these tensors are projected.

    Raises:
        ArgumentError: too few snapshots, runs of different models, or another argument that cannot work.
        UnknownName: no such method, or no such parameter.
    """
    several = runs_of(runs, what="A trajectory")
    if method not in ("pca", "weights"):
        raise UnknownName.among(method, ("pca", "weights"), kind="method of projecting a trajectory")
    if weights is not None:
        if method != "weights":
            raise ArgumentError("Weights as axes go with method='weights'. Received them with method='pca'.")
        components = len(weights)
    if components not in (2, 3):
        raise ArgumentError(f"A path is shown in 2 or 3 dimensions. Received: {components}.")
    matrix = SnapshotMatrix.of(several, parameters=parameters)
    _check_enough(matrix, components)
    times = [np.asarray(steps, dtype=np.int64) for steps in matrix.steps]
    sentences = [_what(matrix, parameters)]
    if method == "pca":
        projection = principal_components(matrix.blocks(), components)
        coordinates, off = projection.coordinates, projection.distance_off
        explained = projection.explained_variance
        null = random_walk_variance([steps - steps[0] for steps in times if len(steps)], components)
        few = matrix.rows < components + 2
        titles = tuple(
            f"component {k + 1}" + ("" if few else f" ({percent(share)})") for k, share in enumerate(explained)
        )
        chosen: tuple[Weight, ...] = ()
        sentences += _pca_sentences(explained, null, matrix.rows)
    else:
        picked = _resolve(weights, matrix) if weights is not None else matrix.most_moved(components)
        coordinates = np.stack([matrix.column(name, index) for name, index in picked], axis=1)
        explained, off = _shares_of_columns(matrix, coordinates)
        null = np.full(components, 1.0 / matrix.columns)
        chosen = tuple((name, _unravel(index, matrix.shapes[name])) for name, index in picked)
        titles = tuple(f"{name}[{', '.join(map(str, np.atleast_1d(index)))}]" for name, index in chosen)
        how = "as asked" if weights is not None else "the ones that moved most"
        sentences.append(
            f"The axes are {components} of {matrix.columns:,} weights, {how}; they hold "
            f"{percent(float(explained.sum()))} of the movement."
        )
    sentences += _warnings(matrix)
    bounds = np.cumsum([0, *(len(steps) for steps in times)])
    spans = [slice(int(a), int(b)) for a, b in itertools.pairwise(bounds)]
    if explained.sum() == 0.0:
        sentences.append("The weights did not move at all between the snapshots.")
    return Trajectory(
        method=method,
        run_names=tuple(run.name for run in several),
        steps=tuple(times),
        coordinates=tuple(coordinates[span] for span in spans),
        axis_titles=titles,
        explained_variance=explained,
        random_walk_variance=null,
        distance_off=tuple(off[span] for span in spans),
        losses=tuple(_losses(run, steps) for run, steps in zip(several, times, strict=True)),
        left_out=_left_out(matrix),
        weights=chosen,
        parameters=matrix.columns,
        sentences=tuple(sentences),
    )


def _check_enough(matrix: SnapshotMatrix, components: int) -> None:
    if matrix.rows <= components:
        broken = sum(len(steps) for steps in matrix.nonfinite)
        left_out = f" ({broken} more hold NaN or infinity)" if broken else ""
        raise ArgumentError(
            f"A path in {components} dimensions needs at least {components + 1} snapshots. Received: {matrix.rows}"
            f"{left_out}. Record more snapshots, for example with snapshots=every(10)."
        )


def _resolve(weights: Sequence[Weight], matrix: SnapshotMatrix) -> tuple[tuple[str, int], ...]:
    resolved = []
    for name, index in weights:
        if name not in matrix.shapes:
            raise UnknownName.among(name, matrix.shapes, kind="parameter of the run")
        shape = matrix.shapes[name]
        try:
            flat = int(np.ravel_multi_index(tuple(np.atleast_1d(index)), shape)) if shape else 0
        except ValueError as problem:
            raise ArgumentError(f"{name!r} has shape {shape}. Received the index {index!r}.") from problem
        resolved.append((name, flat))
    return tuple(resolved)


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(part) for part in np.unravel_index(index, shape)) if shape else (0,)


def _shares_of_columns(
    matrix: SnapshotMatrix, coordinates: Float[np.ndarray, "rows components"]
) -> tuple[Float[np.ndarray, " components"], Float[np.ndarray, " rows"]]:
    """Share of the movement in single columns, and what each row moved beside them from the mean."""
    squares = np.zeros(matrix.rows)
    for block in matrix.blocks():
        squares += ((block - block.mean(axis=0)) ** 2).sum(axis=1)
    seen = (coordinates - coordinates.mean(axis=0)) ** 2
    total = squares.sum()
    shares = seen.sum(axis=0) / total if total > 0.0 else np.zeros(coordinates.shape[1])
    return shares, np.sqrt(np.clip(squares - seen.sum(axis=1), 0.0, None))


def _losses(run: Run, steps: Int64[np.ndarray, " snapshots"]) -> Float[np.ndarray, " snapshots"]:
    if "loss" not in run or len(steps) == 0:
        return np.full(len(steps), np.nan)
    series = run["loss"]
    if len(series) == 0 or series.values.ndim != 1:
        return np.full(len(steps), np.nan)
    order = np.argsort(series.steps, kind="stable")
    logged, values = series.steps[order], series.values[order]
    right = np.clip(np.searchsorted(logged, steps), 0, len(logged) - 1)
    left = np.clip(right - 1, 0, None)
    nearest = np.where(np.abs(logged[left] - steps) < np.abs(logged[right] - steps), left, right)
    return np.asarray(values[nearest], dtype=np.float64)


def _what(matrix: SnapshotMatrix, parameters: str | None) -> str:
    last = max(steps[-1] for steps in matrix.steps if steps)
    first = min(steps[0] for steps in matrix.steps if steps)
    of_runs = f" of {len(matrix.runs)} runs" if len(matrix.runs) > 1 else ""
    subset = f" whose names match {parameters!r}" if parameters is not None else ""
    return (
        f"{matrix.rows} snapshots{of_runs}, steps {first:,} to {last:,}, of {matrix.columns:,} weights in "
        f"{counted(len(matrix.shapes), 'tensor')}{subset}."
    )


def _pca_sentences(
    explained: Float[np.ndarray, " components"], null: Float[np.ndarray, " components"], rows: int
) -> list[str]:
    components = len(explained)
    shown, chance = float(explained.sum()), float(null.sum())
    space = "plane" if components == 2 else "space"
    if rows == components + 1:
        return [f"Too few snapshots to judge: {rows} points always lie in a {space}."]
    sentence = (
        f"The {space} holds {percent(shown)} of the movement; of a random walk seen at the same steps it would hold "
        f"{percent(chance)}."
    )
    if shown <= chance + _HARDLY_MORE:
        return [sentence, "That is hardly more than chance: read nothing into the shape of the path."]
    return [sentence]


def _left_out(matrix: SnapshotMatrix) -> str:
    broken = [
        f"{counted(len(steps), 'snapshot')} of {run.name}, the first at step {steps[0]:,}"
        for run, steps in zip(matrix.runs, matrix.nonfinite, strict=True)
        if steps
    ]
    return f"Left out of the path because they hold NaN or infinity: {'; '.join(broken)}." if broken else ""


def _warnings(matrix: SnapshotMatrix) -> list[str]:
    sentences = []
    few = [(run.name, len(steps)) for run, steps in zip(matrix.runs, matrix.steps, strict=True)]
    few = [(name, count) for name, count in few if count < _FEW_SNAPSHOTS]
    if few:
        listing = listed([f"{count} of {name}" for name, count in few])
        sentences.append(f"Only few snapshots ({listing}): what happened between them is not seen.")
    if left_out := _left_out(matrix):
        sentences.append(left_out)
    for run, damaged in zip(matrix.runs, matrix.damaged, strict=True):
        if damaged:
            sentences.append(f"{counted(damaged, 'snapshot')} of {run.name} left out because unreadable.")
    if matrix.missing:
        sentences.append(
            f"{len(matrix.missing)} tensors that not all snapshots hold are left out, such as {matrix.missing[0]}."
        )
    apart, travelled = matrix.starts()
    if apart > 0.1 * travelled:
        ratio = f"{apart / travelled:.2g} times" if travelled > 0.0 else "infinitely many times"
        sentences.append(
            f"The runs start at different points, {ratio} as far apart as they travel: much of the picture is that."
        )
    return sentences
