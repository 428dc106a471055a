"""A whole update rule as a link of a chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, Arrays
from optiscope.optimizers.rule import Rule, Setting, State, has_moved, unknown_rate
from optiscope.optimizers.transformations.transformation import Scale, Transformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ApplyRule(Transformation):
    """d ← −(the update of the rule for the gradient d): so a rule can be clipped before, and averaged after.

    It is made by `chain` itself: `chain(clip_by_norm(1.0), Adam(learning_rate=0.1))`.
    """

    name: ClassVar[str] = "rule"
    title: ClassVar[str] = "rule"
    reference: ClassVar[str] = "the rule"

    rule: Rule = field(metadata={"internal": True})
    """The rule."""

    def __post_init__(self) -> None:
        if self.rule.curvature != "none":
            raise ArgumentError(
                f"A chain has gradients only, and {self.rule.name} needs the curvature too: use it by itself. "
                f"Received: {self.rule!r}."
            )
        self.rule.check()
        # What a transformation has as attributes of its class, this one has from its rule.
        for name in ("name", "title", "reference", "search", "batching"):
            object.__setattr__(self, name, getattr(self.rule, name))

    def init(self, parameters: Arrays) -> State:
        """That of the rule."""
        return self.rule.init(parameters)

    def update(self, directions: Arrays, state: State, parameters: Arrays) -> tuple[Arrays, State]:
        """What the rule would subtract."""
        updates, after = self.rule.update(directions, state, parameters)
        return tuple(-update for update in updates), after

    def scale(self, state: State, parameters: Arrays) -> tuple[Scale, ...]:
        """The rule's effective rate; NaN while it has made no step, as behind an `accumulate` that still waits."""
        if not has_moved(state):
            return tuple(unknown_rate(parameter) for parameter in parameters)
        return self.rule.effective_rate(state, parameters)

    def probe(self, state: State, parameters: Arrays) -> Arrays:
        """That of the rule."""
        return self.rule.probe(state, parameters)

    def evaluation_point(self, state: State, parameters: Arrays) -> Arrays:
        """That of the rule."""
        return self.rule.evaluation_point(state, parameters)

    def internals(self, state: State) -> Mapping[str, Array]:
        """Those of the rule."""
        return self.rule.internals(state)

    @property
    def settings(self) -> dict[str, Setting]:
        """Those of the rule."""
        return self.rule.settings

    def differing_settings(self) -> tuple[str, ...]:
        """Those of the rule."""
        return self.rule.differing_settings()

    def with_settings(self, **settings: Setting) -> Self:
        """A copy with other settings of the rule."""
        return super().with_settings(rule=self.rule.with_settings(**settings))
