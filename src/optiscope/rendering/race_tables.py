"""The tables of a race: who came where, the settings that each ran with, and how these were found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from optiscope.experiments.race.result import Entry, Race, Tuning
from optiscope.experiments.race.simulation import settled_steps
from optiscope.rendering.report.blocks import TableBlock, table
from optiscope.rendering.report.wording import number, share


def result_table(race: Race) -> TableBlock:
    """One row an optimizer, best first: place, loss at the end, gradient, divergence, reaching the target."""
    several = max((len(entry.settled) for entry in race.entries), default=0) > 1
    losses = ("median loss at the end", "lowest", "highest") if several else ("loss at the end",)
    asked = any(entry.reached is not None for entry in race.entries)
    lost = any(path.diverged_at is not None for path in race.paths)
    reach = ("target reached", "steps to it") if asked else ()
    numeric = ("place", *losses, "final ‖gradient‖", *reach)
    headings = (
        "optimizer",
        "place",
        *losses,
        "final ‖gradient‖",
        *(("diverges at step",) if lost else ()),
        *reach,
        "settings",
    )
    ranks = [entry.rank for entry in race.entries]
    rows = [
        (
            entry.label,
            f"{entry.rank}{' (tie)' if ranks.count(entry.rank) > 1 else ''}",
            *_losses(entry, several=several),
            number(_last_gradient(race, entry)),
            *((_divergence(race, entry),) if lost else ()),
            *(_reach(entry) if asked else ()),
            ", ".join(f"{name} = {shown(entry.settings.get(name))}" for name in entry.chosen) or "defaults",
        )
        for entry in race.entries
    ]
    notes = [_about_losses(race)]
    if several:
        notes.append(
            f"Of {len(race.starts):,} starts × {len(race.seeds):,} seeds of the noise, in each of which all run."
        )
    if asked and race.target is not None:
        notes.append(
            f"Target: a loss of {number(race.target)} or less, from starts spread over the domain; "
            "the steps are the median of those that reach it."
        )
    return table("result", "Result", headings, rows, numeric=numeric, note=" ".join(notes), unfolded=True)


def settings_table(race: Race) -> TableBlock:
    """Every setting of every optimizer."""
    keys = list(dict.fromkeys(key for entry in race.entries for key in entry.settings))
    rows = [
        (entry.label, entry.rule, *(shown(entry.settings.get(key)) for key in keys), _origin(race, entry))
        for entry in race.entries
    ]
    return table("settings", "Settings", ("optimizer", "rule", *keys, "found by"), rows, numeric=keys)


def tuning_tables(race: Race) -> Iterator[TableBlock]:
    """The ten best trials of each optimizer that was tuned."""
    for index, entry in enumerate(race.entries, start=1):
        if entry.tuning is not None:
            yield _trials(entry.label, entry.tuning, f"trials-{index}")


def _trials(label: str, tuning: Tuning, anchor: str) -> TableBlock:
    order = np.argsort(tuning.scores, kind="stable")[:10]
    names = list(tuning.settings)
    rows = [
        (str(place), *(f"{tuning.settings[name][trial]:.4g}" for name in names), number(float(tuning.scores[trial])))
        for place, trial in enumerate(order, start=1)
    ]
    lost = int((~np.isfinite(tuning.scores)).sum())
    note = "Score: the share of the decrease in loss that is missing at the end, over starts and seeds; less is better."
    if lost:
        note += f" {lost:,} of them never stayed finite."
    return table(
        anchor,
        f"{label}: the best of {len(tuning.scores):,} trials",
        ("place", *names, "score"),
        rows,
        numeric=(*names, "score"),
        note=note,
    )


def shown(value: object) -> str:
    """A setting as people write it."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() | np.floating():
            return f"{float(value):.4g}"
        case np.ndarray() if value.size == 1:
            return f"{float(value.item()):.4g}"
        case _:
            return str(value)


def _about_losses(race: Race) -> str:
    tail = settled_steps(race.steps)
    what = f"the mean of the last {tail:,} steps" if tail > 1 else "that of the last step"
    return f"Losses are exact, {what} of {race.steps:,}; settings are those given or found."


def _losses(entry: Entry, *, several: bool) -> tuple[str, ...]:
    if not several:
        return (number(float(entry.settled[0])),)
    return tuple(number(float(value)) for value in (median(entry.settled), entry.settled.min(), entry.settled.max()))


def median(values: Float[np.ndarray, " runs"]) -> float:
    """The median; infinity where half of the values or more are infinite."""
    ordered = np.sort(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(high) if math.isinf(high) else float((low + high) / 2)


def _last_gradient(race: Race, entry: Entry) -> float:
    norms = []
    with np.errstate(all="ignore"):
        for path in race.paths_of(entry.label):
            gradient = path.gradients[-1]
            norms.append(float(np.linalg.norm(gradient)) if np.isfinite(gradient).all() else math.inf)
    return median(np.array(norms)) if norms else math.nan


def _divergence(race: Race, entry: Entry) -> str:
    paths = race.paths_of(entry.label)
    steps = [path.diverged_at for path in paths if path.diverged_at is not None]
    if not steps:
        return "–"
    return f"{min(steps):,}" if len(paths) == 1 else f"{min(steps):,} ({len(steps)} of {len(paths)} paths)"


def _reach(entry: Entry) -> tuple[str, str]:
    if entry.reached is None:
        return "–", "–"
    there = entry.reached[np.isfinite(entry.reached)]
    steps = f"{float(np.median(there)):,.0f}" if len(there) else "–"
    return f"{share(len(there) / len(entry.reached))} of {len(entry.reached):,}", steps


def _origin(race: Race, entry: Entry) -> str:
    return f"tuning, {race.trials:,} trials" if entry.tuning is not None else "given, or default"


def point_text(point: Sequence[float] | Float[np.ndarray, " parameters"]) -> str:
    """A point in few digits; the middle of a long one is left out."""
    numbers = [f"{float(value):.4g}".replace("-", "−") for value in point]
    return f"({', '.join(numbers if len(numbers) <= 6 else [*numbers[:3], '…', numbers[-1]])})"
