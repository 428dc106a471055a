"""Critical points of a function: where its gradient is zero, classified by the Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from optiscope.errors import ArgumentError
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.registry import function as function_named

Kind = Literal["minimum", "maximum", "saddle", "degenerate"]
"""By the signs of the Hessian's eigenvalues: all positive, all negative, mixed, or one of them zero."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CriticalPoint:
    """A point with gradient zero."""

    point: Float[np.ndarray, " parameters"]
    """Where it is."""
    value: float
    """The function there."""
    eigenvalues: Float[np.ndarray, " parameters"]
    """Of the Hessian, ascending."""
    kind: Kind
    """What it is."""


def critical_points(
    function: Function | str, *, resolution: int = 48, limit: int = 200, seed: int = 0
) -> tuple[CriticalPoint, ...]:
    """The isolated points in the domain of `function` at which its gradient is zero, minima first, lowest first.

    Newton's method for ∇f = 0 goes to minima, saddles and maxima alike. It starts from every node of a grid (in one
    or two dimensions; else from points drawn at random) and from the known minima, for all of them at once, and no
    step is longer than two cells, so that each start finds what is near. What is found twice is kept once.

    Left out: kinks, where the gradient jumps over zero; and points that are not isolated (rings, lines, plateaus).
    When more than `limit` are found, minima, saddles, maxima and degenerate points are thinned in the same
    proportion, and the lowest minima and saddles and the highest maxima stay. A finer grid than the default is
    needed when neighbouring critical points are closer than a fiftieth of the domain.

    Args:
        function: a `Function`, or the name of one such as "himmelblau", in any number of dimensions; beyond two
            nothing promises that all are found.
        resolution: nodes along each axis, from 2 to 1,000; the square of it is the number of random starts beyond two
            dimensions, of which there are 500 at most.
        limit: largest number of points to return.
        seed: of the random starts.

    Raises `UnknownName` for an unknown name, and `ArgumentError` for something else than a function, and for a
    resolution or a limit that is no whole number in its range.
    """
    if isinstance(function, str):
        function = function_named(function)
    if not isinstance(function, Function):
        raise ArgumentError(
            "Critical points are those of a Function, or of the name of one; make one of your own with "
            f"own_function(callable). Received: {function!r}."
        )
    if not (_is_whole(resolution) and 2 <= resolution <= 1000):
        raise ArgumentError(
            f"The grid has 2 to 1,000 nodes along each axis, a whole number. Received: resolution={resolution!r}."
        )
    if not (_is_whole(limit) and limit >= 1):
        raise ArgumentError(f"The largest number of points is a whole number, at least 1. Received: limit={limit!r}.")
    low, high = function.bounds.T.astype(np.float64)
    with np.errstate(all="ignore"):
        starts = _starts(function, resolution, seed)
        scales = _scales(function, starts, low, high)
        found, _ = _newton(function, starts, scales, longest=2 / (resolution - 1), merging=True)
        inside = ((found >= low - 1e-9 * scales.widths) & (found <= high + 1e-9 * scales.widths)).all(axis=-1)
        found = _without_repetitions(np.clip(found[inside], low, high), 1e-6 * scales.widths)
        found = found[_is_smooth(function, found, scales)]
        eigenvalues, eigenvectors = np.linalg.eigh(function.hessian(found))
        singular = (np.abs(eigenvalues) <= scales.zero_eigenvalue(eigenvalues)).any(axis=-1)
        isolated = _isolated(function, found[singular], eigenvalues[singular], eigenvectors[singular], scales)
        found = np.concatenate([found[~singular], isolated])
        points = [_classified(function, point, scales) for point in found]
    return _thinned(points, limit)


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scales:
    """What counts as small."""

    widths: Float64[np.ndarray, " parameters"]
    """Of the domain."""
    gradient: float
    """A typical length of the gradient in the domain."""
    hessian: float
    """A typical size of the Hessian in the domain."""

    def zero_eigenvalue(self, eigenvalues: Float64[np.ndarray, "*batch parameters"]) -> Float64[np.ndarray, "*batch 1"]:
        """Below this an eigenvalue is zero: 1e-7 of the largest at the point, or 1e-11 of what is typical."""
        largest = np.abs(eigenvalues).max(axis=-1, keepdims=True)
        bound: Float64[np.ndarray, "*batch 1"] = 1e-7 * np.maximum(largest, 1e-4 * self.hessian)
        return bound


def _starts(function: Function, resolution: int, seed: int) -> Float64[np.ndarray, "starts parameters"]:
    low, high = function.bounds.T.astype(np.float64)
    if function.dimension <= 2:
        axes = [np.linspace(a, b, resolution) for a, b in zip(low, high, strict=True)]
        nodes = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)
    else:
        generator = np.random.default_rng(seed)
        nodes = generator.uniform(low, high, (min(resolution**2, 500), function.dimension))
    known = function.minima
    return np.concatenate([nodes, known[np.isfinite(known).all(axis=-1)]])


def _scales(
    function: Function,
    starts: Float64[np.ndarray, "starts parameters"],
    low: Float64[np.ndarray, " parameters"],
    high: Float64[np.ndarray, " parameters"],
) -> _Scales:
    def typical(numbers: Float64[np.ndarray, " numbers"]) -> float:
        # Not the median: most of the domain may be a plateau.
        numbers = numbers[np.isfinite(numbers) & (numbers < 1e100)]
        return float(np.mean(numbers)) if numbers.any() else 1.0

    gradients = np.linalg.norm(function.gradient(starts), axis=-1)
    hessians = np.linalg.norm(function.hessian(starts), axis=(-1, -2))
    return _Scales(widths=high - low, gradient=typical(gradients), hessian=typical(hessians))


def _newton(
    function: Function,
    x: Float64[np.ndarray, "starts parameters"],
    scales: _Scales,
    *,
    longest: float,
    merging: bool,
    steps: int = 70,
) -> tuple[Float64[np.ndarray, "found parameters"], Int64[np.ndarray, " found"]]:
    """Where Newton's method ends, and from which starts, for those from which it converges inside the domain.

    Near a point with a singular Hessian it still converges, but each step only halves the distance or so: hence the
    number of steps. Directions in which the Hessian is zero are left alone. No step is longer than `longest`, in
    widths of the domain. With `merging`, ways that meet go on as one.
    """
    low, high = function.bounds.T
    origins = np.arange(len(x))
    done: list[Float64[np.ndarray, "some parameters"]] = []
    origins_of_done: list[Int64[np.ndarray, " some"]] = []
    for step in range(steps):
        if merging and step in (10, 20, 40):
            x = _without_repetitions(x, 1e-3 * scales.widths)
            origins = np.zeros(len(x), dtype=np.int64)
        gradient, hessian = function.gradient(x), function.hessian(x)
        near = ((x >= low - 0.05 * scales.widths) & (x <= high + 0.05 * scales.widths)).all(axis=-1)
        good = near & np.isfinite(gradient).all(axis=-1) & np.isfinite(hessian).all(axis=(-1, -2))
        x, origins, gradient, hessian = x[good], origins[good], gradient[good], hessian[good]
        if len(x) == 0:
            break
        values, vectors = np.linalg.eigh(hessian)
        along = np.einsum("...ij,...i->...j", vectors, gradient)
        largest = np.abs(values).max(axis=-1, keepdims=True)
        along = np.where(np.abs(values) > 1e-11 * largest, along / np.where(values == 0, 1, values), 0)
        move = -np.einsum("...ij,...j->...i", vectors, along)
        relative = np.abs(move / scales.widths).max(axis=-1, keepdims=True)
        x = x + move * np.minimum(1, longest / np.maximum(relative, 1e-300))
        # In the end, what creeps on towards a singular point or rattles in its last digits has converged as well.
        tolerance = 1e-13 if step < steps - 1 else 1e-9
        small = np.linalg.norm(gradient, axis=-1) <= 1e-7 * scales.gradient + 1e-9 * largest[:, 0] * scales.widths.max()
        converged = (relative[:, 0] < tolerance) & small
        done.append(x[converged])
        origins_of_done.append(origins[converged])
        x, origins = x[~converged], origins[~converged]
    if not done:
        return np.empty((0, function.dimension)), np.empty(0, dtype=np.int64)
    return np.concatenate(done), np.concatenate(origins_of_done)


def _without_repetitions(
    points: Float64[np.ndarray, "found parameters"], distance: Float64[np.ndarray, " parameters"]
) -> Float64[np.ndarray, "different parameters"]:
    """One of each cluster of points whose coordinates all differ by less than `distance`."""
    different = []
    while len(points):
        first = points[0]
        different.append(first)
        points = points[(np.abs(points - first) > distance).any(axis=-1)]
    return np.stack(different) if different else points


def _is_smooth(
    function: Function, points: Float64[np.ndarray, "found parameters"], scales: _Scales
) -> Bool[np.ndarray, " found"]:
    """Whether the gradient stays small a ten-millionth of the domain away: at a kink it jumps."""
    curvature = np.linalg.norm(function.hessian(points), axis=(-1, -2))
    steps = 1e-7 * np.diag(scales.widths)
    around = np.concatenate([steps, -steps])[:, np.newaxis]
    gradients = np.linalg.norm(function.gradient(points + around), axis=-1).max(axis=0, initial=0)
    bound = 1e-2 * scales.gradient + 1e-6 * scales.widths.max() * curvature
    smooth: Bool[np.ndarray, " found"] = gradients <= bound
    return smooth


def _classified(function: Function, point: Float64[np.ndarray, " parameters"], scales: _Scales) -> CriticalPoint:
    eigenvalues = np.linalg.eigvalsh(function.hessian(point))
    zero = scales.zero_eigenvalue(eigenvalues)[0]
    kind: Kind = "saddle"
    if (np.abs(eigenvalues) <= zero).any():
        kind = "degenerate"
    elif (eigenvalues > 0).all():
        kind = "minimum"
    elif (eigenvalues < 0).all():
        kind = "maximum"
    # Adding zero makes a plain zero of a negative one.
    return CriticalPoint(point=point + 0.0, value=float(function.value(point)), eigenvalues=eigenvalues, kind=kind)


def _isolated(
    function: Function,
    points: Float64[np.ndarray, "singular parameters"],
    eigenvalues: Float64[np.ndarray, "singular parameters"],
    eigenvectors: Float64[np.ndarray, "singular parameters parameters"],
    scales: _Scales,
) -> Float64[np.ndarray, "isolated parameters"]:
    """Those of the points with a singular Hessian that are isolated, each once.

    From a hundredth of the domain away, along the directions without curvature, Newton's method comes back to an
    isolated point, and stays away on a ring, a line or a plateau. On a plateau there is no slope either.
    """
    away = 1e-2 * scales.widths.min()
    owners, directions = np.nonzero(np.abs(eigenvalues) <= scales.zero_eigenvalue(eigenvalues))
    offsets = away * eigenvectors[owners, :, directions]
    moved = np.concatenate([points[owners] + offsets, points[owners] - offsets])
    owners = np.concatenate([owners, owners])
    ends, origins = _newton(function, moved, scales, longest=0.1, merging=False, steps=40)
    stayed = np.linalg.norm(ends - points[owners[origins]], axis=-1) > away / 2
    slopes = np.linalg.norm(function.gradient(moved), axis=-1)
    isolated = np.zeros(len(points), dtype=bool)
    np.logical_or.at(isolated, owners, ~(slopes <= 1e-10 * scales.gradient))
    isolated[owners[origins[stayed]]] = False
    # Newton's method ends only near such a point, on either side. The best comes first and stands for the others.
    best = np.argsort(np.linalg.norm(function.gradient(points), axis=-1), kind="stable")
    return _without_repetitions(points[best[isolated[best]]], 1e-2 * scales.widths)


def _thinned(points: list[CriticalPoint], limit: int) -> tuple[CriticalPoint, ...]:
    kinds: tuple[Kind, ...] = ("minimum", "saddle", "maximum", "degenerate")
    groups = [[one for one in points if one.kind == kind] for kind in kinds]
    share = min(1.0, limit / max(len(points), 1))
    kept: list[CriticalPoint] = []
    for kind, group in zip(kinds, groups, strict=True):
        group.sort(key=lambda one: (one.value, *one.point))
        number = max(1, int(share * len(group)))
        kept += group[-number:] if kind == "maximum" else group[:number]
    return tuple(kept[:limit])
