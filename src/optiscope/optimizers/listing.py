"""The optimizers and schedules that there are, described."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optiscope.construction import setting_names
from optiscope.optimizers.registry import rule_types
from optiscope.optimizers.schedules.registry import schedule_types
from optiscope.optimizers.search_space import Range


@dataclass(frozen=True, kw_only=True)
class OptimizerDescription:
    """What one may know of a rule before choosing it."""

    name: str
    """Name by which it is asked for."""
    title: str
    """Name for legends."""
    formula: str
    """What it does, in one line."""
    settings: Mapping[str, Any]
    """Its settings with their defaults."""
    search: Mapping[str, Range]
    """The main settings, with the ranges in which tuning looks."""
    batching: str
    """How thousands of its paths run: "elementwise", "rowwise" or "single"."""
    curvature: str
    """What it needs beside the gradient: "none", "diagonal" or "full"."""
    paper: str
    """Where it comes from."""
    reference: str
    """What the tests verify it against, step by step."""


@dataclass(frozen=True, kw_only=True)
class ScheduleDescription:
    """What one may know of a schedule before choosing it."""

    name: str
    """Name by which it is asked for."""
    title: str
    """Name for titles."""
    formula: str
    """The number at step t."""
    settings: Mapping[str, Any]
    """Its settings with their defaults; those without one are "required"."""
    reference: str
    """What the tests verify it against."""


def list_optimizers() -> tuple[OptimizerDescription, ...]:
    """Every rule of our own, in alphabetical order. Those of other packages are called "torch.Adam" and the like."""
    return tuple(
        OptimizerDescription(
            name=kind.name,
            title=kind.title,
            formula=_first_sentence(kind),
            settings=_defaults(kind),
            search=kind.search,
            batching=kind.batching,
            curvature=kind.curvature,
            paper=kind.paper,
            reference=kind.reference,
        )
        for kind in rule_types().values()
    )


def list_schedules() -> tuple[ScheduleDescription, ...]:
    """Every schedule, in alphabetical order."""
    return tuple(
        ScheduleDescription(
            name=kind.name,
            title=kind.title,
            formula=kind.formula,
            settings=_defaults(kind),
            reference=kind.reference,
        )
        for kind in schedule_types().values()
    )


def _defaults(kind: Any) -> dict[str, Any]:
    chosen = setting_names(kind)
    return {
        field.name: "required" if field.default is dataclasses.MISSING else field.default
        for field in dataclasses.fields(kind)
        if field.name in chosen
    }


def _first_sentence(kind: type[Any]) -> str:
    """The first paragraph of the docstring, which opens with the formula, on one line."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
