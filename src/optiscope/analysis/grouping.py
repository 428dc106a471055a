"""Which runs repeat one another with another seed, and what tells the groups apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optiscope.errors import UnknownName

if TYPE_CHECKING:
    from optiscope.runs import Run

SEED = "seed"


@dataclass(frozen=True, kw_only=True)
class RunGroup:
    """Runs that repeat the same training, or one run by itself."""

    label: str
    """Short name for legends and tables, unlike that of any other group."""
    runs: tuple[Run, ...]
    """The runs."""
    config: Mapping[str, object]
    """Values of the keys by which the runs were grouped."""


def group_runs(runs: Sequence[Run], group_by: str | Sequence[str] | None = None) -> tuple[RunGroup, ...]:
    """Put runs that differ only in their seed together, in the order in which they first appear.

    By default two runs repeat each other when configuration and optimizer are the same and each was configured with a
    seed of its own; a run without a seed stands alone, for then nothing says what its repetition would vary.
    `group_by` names the configuration keys that must agree instead ("optimizer" means the optimizer's name where the
    configuration has no such key); everything else may differ.

    Raises:
        UnknownName: no run has a configuration key of that name.
    """
    keys = (group_by,) if isinstance(group_by, str) else tuple(group_by) if group_by is not None else None
    if keys is not None:
        known = {key for run in runs for key in run.config} | {"optimizer"}
        for key in keys:
            if key not in known:
                raise UnknownName.among(key, known, kind="configuration key of these runs")
    members: dict[str, list[Run]] = {}
    settings: dict[str, dict[str, object]] = {}
    copies: Counter[tuple[str, str]] = Counter()
    for run in runs:
        chosen = _settings(run, keys)
        identity = json.dumps(chosen, sort_keys=True, default=repr)
        if keys is None:
            identity += json.dumps(_hyperparameters(run), sort_keys=True, default=repr)
            # The second run of one seed repeats nothing that the first does not: it opens a group of its own.
            seed = repr(_seed(run))
            copies[identity, seed] += 1
            identity += f"#{copies[identity, seed]}"
        members.setdefault(identity, []).append(run)
        settings.setdefault(identity, chosen)
    labels = _labels([members[identity] for identity in members], [settings[identity] for identity in members])
    return tuple(
        RunGroup(label=label, runs=tuple(members[identity]), config=settings[identity])
        for label, identity in zip(labels, members, strict=True)
    )


def optimizer_name(run: Run) -> str:
    """Name of the run's optimizer, or names joined with "+" when it has several; empty when it is not known."""
    return "+".join(str(one["name"]) for one in run.optimizers if "name" in one)


def _seed(run: Run) -> object:
    return run.config.get(SEED, run.seed)


def _hyperparameters(run: Run) -> list[object]:
    groups = (one.get("groups") for one in run.optimizers)
    return [group.get("hyperparameters") for several in groups for group in several or () if isinstance(group, Mapping)]


def _settings(run: Run, keys: tuple[str, ...] | None) -> dict[str, object]:
    everything: dict[str, object] = {"optimizer": optimizer_name(run), **run.config}
    if keys is None:
        return {key: value for key, value in everything.items() if key != SEED}
    return {key: everything.get(key) for key in keys}


def _labels(groups: Sequence[Sequence[Run]], settings: Sequence[Mapping[str, object]]) -> list[str]:
    """Run names where every group is one run; else the settings that differ; made unique at the end."""
    if all(len(group) == 1 for group in groups):
        labels = [group[0].name for group in groups]
    else:
        keys = list(dict.fromkeys(key for setting in settings for key in setting))
        differing = [key for key in keys if len({repr(setting.get(key)) for setting in settings}) > 1]
        if "optimizer" in differing and len({repr(one["optimizer"]) for one in settings}) == len(settings):
            # The optimizer that tells all groups apart says enough; what follows from it (each its own rate) is noise.
            differing = ["optimizer"]
        labels = [_label(setting, differing or keys[:1]) for setting in settings]
    if len(set(labels)) < len(labels):
        names = [group[0].name for group in groups]
        labels = [label if label == name else f"{label} ({name})" for label, name in zip(labels, names, strict=True)]
    seen: dict[str, int] = {}
    unique = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        unique.append(label if seen[label] == 1 else f"{label} #{seen[label]}")
    return unique


def _label(setting: Mapping[str, object], keys: Sequence[str]) -> str:
    parts = []
    for key in keys:
        value = setting.get(key)
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        parts.append(shown if key in ("optimizer", "name", "method") else f"{key} = {shown}")
    return ", ".join(part for part in parts if part) or "all runs"
