"""Races made by hand: small, known, and independent of the engine that runs real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Entry, Race, Tuning
from optiscope.problems.critical_points import CriticalPoint
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.rosenbrock import Rosenbrock

BOUND = 1e3


@dataclass(frozen=True, kw_only=True)
class Saddle(Function):
    """Unbounded below, with a minimum at the origin and a saddle at (1/4, −1/2)."""

    name: ClassVar[str] = "made_saddle"
    title: ClassVar[str] = "Cubic saddle"
    formula: ClassVar[str] = "x₀² + x₁² + x₁³ + x₀x₁"
    source: ClassVar[str] = "made for tests"

    @property
    def dimension(self) -> int:
        return 2

    @property
    def bounds(self):
        return np.array([[-3.0, 3.0], [-3.0, 3.0]])

    @property
    def start(self):
        return np.array([2.0, 3.0])

    @property
    def minima(self):
        return np.empty((0, 2))

    @property
    def minimum(self) -> float:
        return -np.inf

    def value(self, x):
        a, b = x[..., 0], x[..., 1]
        return a**2 + b**2 + b**3 + a * b

    def gradient(self, x):
        a, b = x[..., 0], x[..., 1]
        return np.stack([2 * a + b, 2 * b + 3 * b**2 + a], axis=-1)

    def hessian(self, x):
        one = np.ones_like(x[..., 0])
        return np.stack([np.stack([2 * one, one], -1), np.stack([one, 2 + 6 * x[..., 1]], -1)], -2)


SADDLE_POINTS = (
    CriticalPoint(point=np.zeros(2), value=0.0, eigenvalues=np.array([1.0, 3.0]), kind="minimum"),
    CriticalPoint(point=np.array([0.25, -0.5]), value=0.0625, eigenvalues=np.array([-1.2, 2.2]), kind="saddle"),
)

Step = Callable[[np.ndarray, dict[str, np.ndarray], int], tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]


def descent(rate: float) -> Step:
    return lambda g, state, t: (-rate * g, np.full_like(g, rate), {})


def momentum(rate: float, decay: float = 0.9) -> Step:
    def step(g, state, t):
        v = decay * state.get("velocity", np.zeros_like(g)) - rate * g
        return v, np.full_like(g, rate), {"velocity": v}

    return step


def adam(rate: float, beta1: float = 0.9, beta2: float = 0.99) -> Step:
    def step(g, state, t):
        m = beta1 * state.get("momentum", np.zeros_like(g)) + (1 - beta1) * g
        v = beta2 * state.get("second_moment", np.zeros_like(g)) + (1 - beta2) * g * g
        effective = rate / (np.sqrt(v / (1 - beta2 ** (t + 1))) + 1e-8)
        return -effective * m / (1 - beta1 ** (t + 1)), effective, {"momentum": m, "second_moment": v}

    return step


def run(problem: Function, label: str, step: Step, start: Sequence[float], *, steps: int, ahead: float = 0.0) -> Path:
    x = np.asarray(start, dtype=np.float64)
    state: dict[str, np.ndarray] = {}
    points, rates, states = [x], [np.full_like(x, np.nan)], []
    with np.errstate(all="ignore"):
        for t in range(steps):
            update, rate, state = step(problem.gradient(x), state, t)
            x = x + update
            points.append(x)
            rates.append(rate)
            states.append(state)
        rows = np.array(points)
        losses, gradients = problem.value(rows), problem.gradient(rows)
        outside = ~(np.abs(rows) <= BOUND).all(axis=-1)
    internals = {
        name: np.array([np.zeros_like(x), *(one[name] for one in states)]) for name in (states[0] if states else {})
    }
    probes = rows + ahead * internals["velocity"] if ahead else None
    return Path(
        optimizer=label,
        seed=0,
        points=rows,
        losses=losses,
        gradients=gradients,
        effective_rates=np.array(rates),
        internals=internals,
        probes=probes,
        diverged_at=int(outside.argmax()) if outside.any() else None,
    )


def race_of(
    problem: Function,
    optimizers: dict[str, Step],
    starts: Sequence[Sequence[float]],
    *,
    steps: int,
    critical_points: tuple[CriticalPoint, ...] = (),
    tuned: bool = False,
    title: str = "",
) -> Race:
    generator = np.random.default_rng(0)
    paths, entries = [], []
    for label, step in optimizers.items():
        ahead = 0.9 if label == "nesterov" else 0.0
        own = [run(problem, label, step, start, steps=steps, ahead=ahead) for start in starts]
        paths += own
        final = np.array([np.inf if path.diverged_at is not None else path.losses[-1] for path in own])
        tuning = reached = None
        if tuned:
            rates = np.exp(np.linspace(np.log(1e-4), np.log(10), 30))
            best = rates[20 - 3 * len(entries)]
            scores = np.exp((np.log(rates / best) / 2) ** 2) * 0.01 * (1 + 0.3 * generator.random(30))
            losses = np.where(rates > 8 * best, np.inf, scores)[:, None]
            scores = np.where(rates > 8 * best, 3.0, np.minimum(scores, 1.0))
            settings = {"learning_rate": rates, "momentum": generator.random(30)}
            best_trial = int(scores.argmin())
            tuning = Tuning(settings=settings, losses=losses, scores=scores, sweep=10, best=best_trial)
            reached = np.sort(generator.integers(5, 2 * steps, 40)).astype(float)
            reached[reached > steps] = np.inf
        entries.append(
            Entry(
                label=label,
                rule=label,
                settings={"learning_rate": 0.01},
                chosen=("learning_rate",),
                tuning=tuning,
                final=final,
                settled=final,
                curvature="none",
                reached=reached,
                rank=len(entries) + 1,
            )
        )
    return Race(
        problem=problem,
        entries=tuple(entries),
        paths=tuple(paths),
        steps=steps,
        starts=np.array(starts, dtype=np.float64),
        seeds=np.array([0]),
        trials=30 if tuned else 0,
        target=1e-3 if tuned else None,
        bound=BOUND,
        critical_points=critical_points,
        seed=0,
        notes=(),
        title=title or f"{problem.title}: {len(optimizers)} optimizers",
    )


def saddle_race(steps: int = 150) -> Race:
    """Gradient descent and Adam reach the minimum; momentum passes the saddle and diverges at step 19."""
    optimizers = {"sgd": descent(0.01), "adam": adam(0.1), "momentum": momentum(0.01)}
    return race_of(Saddle(), optimizers, [(2.0, 3.0)], steps=steps, critical_points=SADDLE_POINTS)


def valley_race(*, starts: Sequence[Sequence[float]] = ((-1.2, 1.0),), steps: int = 60, tuned: bool = False) -> Race:
    """Rosenbrock's valley."""
    optimizers = {
        "sgd": descent(0.001),
        "momentum": momentum(0.0005),
        "nesterov": momentum(0.0004),
        "adam": adam(0.1),
    }
    return race_of(Rosenbrock(), optimizers, starts, steps=steps, tuned=tuned)


@dataclass(frozen=True, kw_only=True)
class Ripples(Saddle):
    """Very many minima."""

    name: ClassVar[str] = "made_ripples"
    title: ClassVar[str] = "Ripples"
    formula: ClassVar[str] = "Σᵢ xᵢ² + 5 sin² 3xᵢ"

    @property
    def minima(self):
        return np.zeros((1, 2))

    @property
    def minimum(self) -> float:
        return 0.0

    def value(self, x):
        return (x**2 + 5 * np.sin(3 * x) ** 2).sum(axis=-1)

    def gradient(self, x):
        return 2 * x + 15 * np.sin(6 * x)


def ripple_race() -> Race:
    """Ten optimizers on very many minima, so that the legend stands beside the picture."""
    optimizers: dict[str, Step] = {f"sgd {number}": descent(0.002 * (number + 1)) for number in range(10)}
    spots = [(a, b) for a in np.arange(-2, 3) * 1.02 for b in np.arange(-2, 3) * 1.02]
    points = tuple(
        CriticalPoint(point=np.array(spot), value=0.0, eigenvalues=np.array([1.0, 2.0]), kind=kind)
        for spot in spots
        for kind in ("minimum", "maximum")
    )
    return race_of(Ripples(), optimizers, [(2.0, 2.5)], steps=30, critical_points=points)
