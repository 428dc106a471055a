"""The paths of a race made ready for a picture: thinned, and cut where they leave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from optiscope.analysis.wording import listed
from optiscope.experiments.race.path import Path
from optiscope.experiments.race.result import Race
from optiscope.figures.landscape import Area

MARKS = 200
"""Steps of a path that are drawn at most."""
FRAMES = 200
"""Frames of a moving picture at most, besides that of the start."""
_NUMBERS = 250_000
"""Numbers that the frames of a figure hold at most: some 1.5 MB in a page."""
_AXES = np.array([700.0, 400.0])
"""Pixels of the axes of a common figure."""
_APART = 1.6
"""Distance of the middles of two marks at least, as a share of their size."""
_SENTENCES = 3
"""Optimizers whose divergence is told in a sentence of its own."""
_FAR = 6.0
"""Sizes of the picture beyond which a point is moved back along its step: browsers cannot draw a line to 1e300."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnPath:
    """The part of a path that a picture of two coordinates shows."""

    path: Path
    """The whole of it."""
    rows: Int64[np.ndarray, " drawn"]
    """Steps that are drawn, ascending, from 0 on."""
    points: Float[np.ndarray, "drawn 2"]
    """Where; far points are moved to just outside of the picture, and are NaN where the step is outside wholly."""
    exit: Float[np.ndarray, "2"] | None
    """Where a path that diverges leaves the picture for the last time; None for one that does not diverge."""

    def until(self, step: int) -> int:
        """How many of the rows are at or before `step`."""
        return int(np.searchsorted(self.rows, step, side="right"))


def fate_of(race: Race, label: str, area: Area | None = None) -> str:
    """What became of an optimizer's paths: that some diverge, or end outside `area`; empty when none does."""
    paths = race.paths_of(label)
    lost = sum(path.diverged_at is not None for path in paths)
    if lost:
        return "diverges" if lost == len(paths) else f"{lost} of {len(paths)} diverge"
    if area is None:
        return ""
    low, high = np.array(area).T
    outside = int((~_within(np.array([path.points[-1, :2] for path in paths]), low, high)).sum())
    if not outside:
        return ""
    return "ends outside" if outside == len(paths) else f"{outside} of {len(paths)} end outside"


def mark_sizes(drawn: DrawnPath, area: Area, size: float) -> Float[np.ndarray, " drawn"]:
    """`size` for the rows that have a mark, 0 for those that would stand too near to the mark before."""
    ends = np.array(area)
    places = drawn.points / (ends[:, 1] - ends[:, 0]) * _AXES
    sizes = np.zeros(len(places))
    last = np.full(2, -np.inf)
    for row, place in enumerate(places):
        if not np.isfinite(place).all():
            continue
        away = float(np.abs(place - last).max())
        if away >= _APART * size:
            sizes[row] = size
            last = place
    return sizes


def divergences(race: Race) -> list[str]:
    """Sentences about the optimizers that diverge."""
    sentences = []
    for entry in race.entries:
        paths = race.paths_of(entry.label)
        when = [path.diverged_at for path in paths if path.diverged_at is not None]
        if when:
            share = "" if len(paths) == 1 else f" on {len(when)} of {len(paths)} paths,"
            first = "" if len(when) == 1 else " first"
            sentences.append(f"{entry.label} diverges{share}{first} at step {min(when):,}.")
    if len(sentences) > _SENTENCES:
        names = [entry.label for entry in race.entries if fate_of(race, entry.label).endswith(("diverges", "diverge"))]
        return [f"{listed(names, limit=_SENTENCES)} diverge."]
    return sentences


def drawn_paths(race: Race, area: Area) -> dict[str, list[DrawnPath]]:
    """The paths of each optimizer, best first."""
    return {entry.label: [draw_path(path, area) for path in race.paths_of(entry.label)] for entry in race.entries}


def draw_path(path: Path, area: Area) -> DrawnPath:
    """Thin a path and cut it where it leaves the picture for good."""
    last = path.steps if path.diverged_at is None else min(path.diverged_at, path.steps)
    stride = max(1, -(-last // MARKS))
    rows = np.unique(np.append(np.arange(0, last + 1, stride), last))
    points = path.points[rows, :2].astype(np.float64)
    ends = np.array(area)
    low, high = ends[:, 0], ends[:, 1]
    exit_point = None
    if path.diverged_at is not None:
        exit_point = _exit(points, low, high)
        inside = np.flatnonzero(_within(points, low, high))
        # One row beyond the last that is seen leads out of the picture.
        keep = int(inside[-1]) + 2 if len(inside) else 1
        rows, points = rows[:keep], points[:keep]
    span = high - low
    return DrawnPath(
        path=path, rows=rows, points=_brought_near(points, low - _FAR * span, high + _FAR * span), exit=exit_point
    )


def frame_steps(race: Race, shown: Mapping[str, list[DrawnPath]], columns: int = 2) -> list[int]:
    """The steps that have a frame: every one where there are few, evenly spread ones otherwise; always both ends."""
    numbers = columns * sum(len(drawn.rows) for several in shown.values() for drawn in several) / 2
    most = int(min(FRAMES, max(30, _NUMBERS / max(1.0, numbers))))
    stride = max(1, -(-race.steps // most))
    return sorted({*range(0, race.steps + 1, stride), race.steps})


def _within(points: Float[np.ndarray, "n 2"], low: Float[np.ndarray, "2"], high: Float[np.ndarray, "2"]) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(((points >= low) & (points <= high)).all(axis=-1))


def _exit(
    points: Float[np.ndarray, "n 2"], low: Float[np.ndarray, "2"], high: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "2"]:
    """Where the last step out of the picture crosses its edge, a little inside."""
    inside = np.flatnonzero(_within(points, low, high))
    margin = 0.02 * (high - low)
    if not len(inside):
        return np.asarray(np.clip(points[0], low + margin, high - margin))
    at = int(inside[-1])
    here = points[at]
    following = points[at + 1] if at + 1 < len(points) else here
    return _towards(here, following, low + margin, high - margin)


def _towards(
    here: Float[np.ndarray, "2"],
    there: Float[np.ndarray, "2"],
    low: Float[np.ndarray, "2"],
    high: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "2"]:
    """The point on the way from `here` to `there` that is on the edge of a box around `here`."""
    # The largest finite numbers still have a direction; their difference may not.
    there = np.nan_to_num(there, nan=0.0, posinf=1e300, neginf=-1e300)
    with np.errstate(all="ignore"):
        step = there / 4 - here / 4
        limits = np.where(step > 0, high - here, np.where(step < 0, low - here, np.inf)) / 4
        shares = np.where(step != 0, limits / np.where(step == 0, 1.0, step), np.inf)
        share = float(np.clip(shares.min(), 0.0, 1.0))
    return np.asarray(here + 4 * share * step)


def _brought_near(
    points: Float[np.ndarray, "n 2"], low: Float[np.ndarray, "2"], high: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "n 2"]:
    near = _within(points, low, high)
    if near.all():
        return points
    result = np.where(near[:, None], points, np.nan)
    for row in np.flatnonzero(~near):
        if row > 0 and near[row - 1]:
            result[row] = _towards(points[row - 1], points[row], low, high)
        elif row + 1 < len(points) and near[row + 1]:
            result[row] = _towards(points[row + 1], points[row], low, high)
    return result
