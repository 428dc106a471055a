"""What a race gives: paths, the settings they were run with, and how those were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from optiscope.experiments.race.path import Path
from optiscope.problems.critical_points import CriticalPoint
from optiscope.problems.functions.function import Function


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """The trials that one optimizer was given, and the one that was best."""

    settings: Mapping[str, Float[np.ndarray, " trials"]]
    """The value of each tuned setting in each trial."""
    losses: Float[np.ndarray, "trials conditions"]
    """Exact loss at the end of each trial, averaged over its last steps, from each start with each seed; inf where it
    diverged or ended outside the domain."""
    scores: Float[np.ndarray, " trials"]
    """What trials are judged by: the share of the loss's decrease that is missing, averaged over starts and seeds. 0 is
    the lowest loss that any trial of any optimizer reached, 1 the loss at the start, 3 is for a divergence or an end
    outside the domain; inf where that is all there was."""
    sweep: int
    """Number of trials, the first ones, that vary the learning rate alone; the first of all is what was entered."""
    best: int
    """Index of the trial with the smallest score."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One optimizer of a race."""

    label: str
    """Name in legends and tables, unique in the race."""
    rule: str
    """Name of the rule, such as "adam" or "torch.Adam"."""
    settings: Mapping[str, object]
    """The settings it ran with."""
    chosen: tuple[str, ...]
    """Names of the settings that were given or found by tuning; the others are at their defaults."""
    tuning: Tuning | None
    """How its settings were found; None when they were given or left at their defaults."""
    final: Float[np.ndarray, " runs"]
    """Exact loss at the end of each of its paths, in the order of `Race.paths_of`; inf for one that diverged."""
    settled: Float[np.ndarray, " runs"]
    """The same averaged over the last twentieth of the steps, inf for a path that ends outside the domain too: what the
    race is ranked by."""
    reached: Float[np.ndarray, " grid"] | None
    """For each start of the grid the steps until the target was reached; inf if never. None without a grid."""
    curvature: str
    """What it was given beside the gradient: "none", "diagonal" or "full" of the exact Hessian."""
    rank: int
    """1 for the best. Optimizers that do not differ demonstrably from the first with a rank share it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Race:
    """Optimizers on one problem from the same starts, meeting the same noise."""

    problem: Function
    """What was minimised."""
    entries: tuple[Entry, ...]
    """The optimizers, best first."""
    paths: tuple[Path, ...]
    """Each optimizer from each start with each seed."""
    steps: int
    """Length of each path."""
    starts: Float[np.ndarray, "starts parameters"]
    """The starts."""
    seeds: Int64[np.ndarray, " seeds"]
    """Seeds of the noise; one when the problem has none."""
    trials: int
    """Number of tuning trials that each tuned optimizer was given; 0 when none was tuned."""
    target: float | None
    """Loss that counts as reached; None when the minimum of the problem is not known."""
    bound: float
    """A path diverges when one of its coordinates exceeds this in magnitude, or is not finite."""
    critical_points: tuple[CriticalPoint, ...]
    """Minima, saddles and maxima found in the domain of a two-dimensional problem; empty in other dimensions."""
    seed: int
    """Seed of everything that is drawn at random."""
    notes: tuple[str, ...]
    """What a reader must know, in sentences: divergence, ties, settings left at their defaults."""
    title: str
    """What the race is about."""
    window: tuple[tuple[float, float], tuple[float, float]] | None = None
    """The part of the plane that pictures show unless asked otherwise; the domain when None."""

    def paths_of(self, label: str) -> tuple[Path, ...]:
        """The paths of one optimizer: start by start, and seed by seed for each."""
        return tuple(path for path in self.paths if path.optimizer == label)
