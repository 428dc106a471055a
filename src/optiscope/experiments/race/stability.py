"""Which learning rates and momenta converge on a quadratic, beside what theory says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from optiscope.errors import ArgumentError
from optiscope.experiments.race.arguments import LARGEST_RESOLUTION, as_function, check_count
from optiscope.experiments.race.simulation import moments
from optiscope.optimizers.registry import rule
from optiscope.optimizers.rule import Rule
from optiscope.problems.functions.function import Function

STEPS = 600
"""Steps over which the contraction is measured: the first half lets transients die, the second is measured."""
_VARIED = ("learning_rate", "momentum")


@dataclass(frozen=True, kw_only=True, eq=False)
class StabilityMap:
    """How fast the distance to the minimum shrinks or grows, for each learning rate and momentum."""

    label: str
    """Name of the rule."""
    eigenvalues: Float[np.ndarray, " parameters"]
    """Of the quadratic's Hessian."""
    learning_rates: Float[np.ndarray, " columns"]
    """The learning rates, ascending."""
    momenta: Float[np.ndarray, " rows"]
    """The momenta, ascending."""
    contraction: Float[np.ndarray, "rows columns"]
    """Measured factor by which the distance to the minimum changes per step: below 1 converges, above 1 diverges."""
    theory: Float[np.ndarray, "rows columns"]
    """The same factor by theory: the largest magnitude of an eigenvalue of the iteration's matrix; NaN if unknown."""
    border: Float[np.ndarray, " rows"]
    """The learning rate from which on theory says that it diverges, for each momentum; NaN if unknown."""


def stability_map(
    problem: str | Function,
    optimizer: str | Rule = "momentum",
    *,
    resolution: int = 60,
    largest_rate: float | None = None,
) -> StabilityMap:
    """Measure the contraction of a rule with momentum over a grid of learning rates and momenta.

    On a quadratic the rule is a linear map, so it converges exactly when every eigenvalue of that map lies inside the
    unit circle. With momentum μ and curvature λ these are the roots of z² − (1+μ−αλ)z + μ, inside for α < 2(1+μ)/λ;
    with Nesterov's gradient of z² − (1+μ)(1−αλ)z + μ(1−αλ), inside for α < 2(1+μ)/((1+2μ)λ).
    Source: B. Polyak, Some methods of speeding up the convergence of iteration methods, 1964; L. Lessard, B. Recht,
    A. Packard, Analysis and design of optimization algorithms via integral quadratic constraints, 2016, section 2.

    Args:
        problem: a name, or a function, with the same Hessian everywhere, positive definite.
        optimizer: "momentum", "classical_momentum" or "nesterov" have a theory; any rule with `learning_rate` and
            `momentum` is measured.
        resolution: points along each axis.
        largest_rate: end of the learning rates; 1.25 times what is stable with the largest momentum when None.
    """
    problem = as_function(problem)
    check_count("resolution", resolution, 2, LARGEST_RESOLUTION)
    hessian = _constant_hessian(problem)
    eigenvalues = np.linalg.eigvalsh(hessian)
    if eigenvalues[0] <= 0:
        raise ArgumentError(
            "A stability map needs a positive definite Hessian. "
            f"Received: {problem.name} with eigenvalues {eigenvalues}."
        )
    end = largest_rate if largest_rate is not None else 1.25 * 4 / float(eigenvalues[-1])
    rates = np.linspace(end / resolution, end, resolution)
    momenta = np.linspace(0.0, 0.99, resolution)
    grid_momenta, grid_rates = np.meshgrid(momenta, rates, indexing="ij")
    base = optimizer if isinstance(optimizer, Rule) else rule(optimizer)
    for name in _VARIED:
        if name not in base.settings:
            raise ArgumentError(
                f"A stability map varies learning_rate and momentum. Received: {optimizer!r}, without {name}."
            )
    varied = base.with_settings(learning_rate=grid_rates.reshape(-1, 1), momentum=grid_momenta.reshape(-1, 1))
    # Theory knows of a learning rate and a momentum, not of dampening or decay.
    known = base.name if _is_plain(base) else ""
    theory = _largest_root(known, grid_rates, grid_momenta, eigenvalues)
    return StabilityMap(
        label=base.title,
        eigenvalues=eigenvalues,
        learning_rates=rates,
        momenta=momenta,
        contraction=_contraction(problem, varied, grid_rates.size).reshape(grid_rates.shape),
        theory=theory,
        border=_border(known, momenta, float(eigenvalues[-1])),
    )


def _is_plain(base: Rule) -> bool:
    plain = type(base)()
    return all(value == plain.settings[name] for name, value in base.settings.items() if name not in _VARIED)


def _constant_hessian(problem: Function) -> Float[np.ndarray, "parameters parameters"]:
    here, there = problem.hessian(problem.start), problem.hessian(0.5 * problem.start + 1.0)
    if not np.allclose(here, there, rtol=1e-12, atol=1e-12):
        raise ArgumentError(
            f"A stability map needs a quadratic, whose Hessian is the same everywhere. Received: {problem.name}. "
            'Take for example "sphere" or "quadratic".'
        )
    return here


def _contraction(problem: Function, varied: Rule, rows: int) -> Float[np.ndarray, " rows"]:
    """exp of the slope of log ‖x − x*‖ against the step, over the second half of the steps in which it can be told."""
    minimum = problem.minima[0]
    starts = np.tile(minimum + 1.0, (rows, 1))
    with np.errstate(all="ignore"):
        distances = np.array(
            [
                np.linalg.norm(moment.point - minimum, axis=-1)
                for moment in moments(problem, varied, starts, steps=STEPS, seeds=np.zeros(rows, dtype=np.int64))
            ]
        )
        # Rounding keeps the distance from falling below the last digit of the minimum's coordinates.
        floor = 1e-250 if not minimum.any() else 1e-10 * float(np.abs(minimum).max())
        told = np.logical_and.accumulate((distances > floor) & (distances < 1e250), axis=0)
        logs = np.log(np.where(told, distances, 1.0))
    last = told.sum(axis=0)
    steps = np.arange(STEPS + 1)[:, None]
    used = told & (steps >= last // 2)
    count = np.maximum(used.sum(axis=0), 1)
    mean_step = (steps * used).sum(axis=0) / count
    mean_log = (logs * used).sum(axis=0) / count
    centred = (steps - mean_step) * used
    spread = (centred**2).sum(axis=0)
    slope = (centred * (logs - mean_log)).sum(axis=0) / np.where(spread > 0, spread, np.nan)
    contraction: Float[np.ndarray, " rows"] = np.exp(slope)
    return contraction


def _largest_root(
    name: str,
    rates: Float[np.ndarray, "rows columns"],
    momenta: Float[np.ndarray, "rows columns"],
    eigenvalues: Float[np.ndarray, " parameters"],
) -> Float[np.ndarray, "rows columns"]:
    """The largest magnitude of a root of z² − bz + c over the eigenvalues of the Hessian."""
    shrink = 1 - rates[..., None] * eigenvalues
    momentum = momenta[..., None]
    if name == "nesterov":
        b, c = (1 + momentum) * shrink, momentum * shrink
    elif name in ("momentum", "classical_momentum"):
        b, c = momentum + shrink, momentum * np.ones_like(shrink)
    else:
        return np.full(rates.shape, np.nan)
    root = np.sqrt((b * b - 4 * c).astype(complex))
    largest: Float[np.ndarray, "rows columns"] = np.maximum(abs(b + root), abs(b - root)).max(axis=-1) / 2
    return largest


def _border(name: str, momenta: Float[np.ndarray, " rows"], largest: float) -> Float[np.ndarray, " rows"]:
    match name:
        case "momentum" | "classical_momentum":
            return 2 * (1 + momenta) / largest
        case "nesterov":
            return 2 * (1 + momenta) / ((1 + 2 * momenta) * largest)
        case _:
            return np.full(momenta.shape, np.nan)
