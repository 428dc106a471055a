"""Who takes part in a race: our rules, a framework's optimizers by name, and what users bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from jaxtyping import Float

from optiscope.experiments.race.simulation import Batch, Record, Rows, Seeds, Summary, record, summarise
from optiscope.optimizers.rule import Rule
from optiscope.optimizers.search_space import Range
from optiscope.problems.functions.function import Function

Settings = Mapping[str, Float[np.ndarray, " rows"]]
"""Values of some settings, one a row; the other settings stay as they are."""


class Contestant(Protocol):
    """One optimizer of a race."""

    @property
    def label(self) -> str:
        """Name for legends."""
        ...

    @property
    def name(self) -> str:
        """Name by which it was asked for."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """The settings it runs with unless others are given."""
        ...

    @property
    def search(self) -> Mapping[str, Range]:
        """The settings that tuning may choose, with their ranges; empty when all were given."""
        ...

    @property
    def curvature(self) -> str:
        """What it wants beside the gradient; see `Rule.curvature`."""
        ...

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the settings that were given by whoever entered it."""
        ...

    def without_search(self) -> Contestant:
        """The same with nothing to tune."""
        ...

    def with_settings(self, settings: Mapping[str, float]) -> Contestant:
        """The same with some settings fixed to these numbers."""
        ...

    def record(self, problem: Function, starts: Batch, *, steps: int, seeds: Seeds) -> Record:
        """Run from each start and keep everything."""
        ...

    def summarise(
        self,
        problem: Function,
        starts: Batch,
        *,
        steps: int,
        seeds: Seeds,
        bound: float,
        settings: Settings,
        target: float | Rows | None,
    ) -> Summary:
        """Run from each start with the settings of its row, and keep only how it ended."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleContestant:
    """One of our rules, or a user's own."""

    rule: Rule
    """The rule with its settings."""
    label: str
    """Name for legends."""
    name: str
    """Name by which it was asked for."""
    search: Mapping[str, Range] = field(default_factory=dict)
    """The settings that tuning may choose."""
    given: tuple[str, ...] = ()
    """Names of the settings that were given by whoever entered it."""

    @property
    def settings(self) -> Mapping[str, object]:
        """The settings of the rule."""
        return self.rule.settings

    @property
    def curvature(self) -> str:
        """What the rule wants beside the gradient."""
        return self.rule.curvature

    def with_settings(self, settings: Mapping[str, float]) -> RuleContestant:
        """The same with some settings fixed to these numbers."""
        return replace(self, rule=self.rule.with_settings(**settings))

    def without_search(self) -> RuleContestant:
        """The same with nothing to tune."""
        return replace(self, search={})

    def record(self, problem: Function, starts: Batch, *, steps: int, seeds: Seeds) -> Record:
        """Run from each start and keep everything."""
        return record(problem, self.rule, starts, steps=steps, seeds=seeds)

    def summarise(
        self,
        problem: Function,
        starts: Batch,
        *,
        steps: int,
        seeds: Seeds,
        bound: float,
        settings: Settings,
        target: float | Rows | None,
    ) -> Summary:
        """Run from each start with the settings of its row, and keep only how it ended."""
        columns = {name: values[:, None] for name, values in settings.items()}
        varied = self.rule.with_settings(**columns) if columns else self.rule
        return summarise(problem, varied, starts, steps=steps, seeds=seeds, bound=bound, target=target)
