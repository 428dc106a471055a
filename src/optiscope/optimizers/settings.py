"""Checks the settings of a rule when it is made: a learning rate of NaN should not cost an evening."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from optiscope.construction import setting_names
from optiscope.errors import ArgumentError
from optiscope.optimizers.limits import FRACTION, NOT_NEGATIVE, POSITIVE, YES_OR_NO, Choice, Limit, at_least
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule


class HasSettings(Protocol):
    """A rule, or a transformation of a chain."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def limits(self) -> Mapping[str, Limit | Choice]:
        """What the settings may be that mean something else, or nothing, in other rules."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings by name."""
        ...


LIMITS: Mapping[str, Limit | Choice] = {
    "learning_rate": POSITIVE,
    "momentum": FRACTION,
    "dampening": FRACTION,
    "decay": FRACTION,
    **{f"beta{number}": FRACTION for number in ("", 1, 2, 3)},
    "epsilon": NOT_NEGATIVE,
    "damping": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
}
"""What the settings of these names may be, in whichever rule they occur."""
EVERY = at_least(1)
"""A number of steps between two times of doing something."""


def check_settings(rule: HasSettings) -> None:
    """Raise `ArgumentError` for a setting outside its limits. A schedule is trusted to give fitting numbers."""
    limits = {**LIMITS, **_choices(rule), **rule.limits}
    for name, value in rule.settings.items():
        limit = limits.get(name)
        if limit is None or (isinstance(value, Schedule | ReactiveSchedule) and not limit.is_whole):
            continue
        if not limit.allows(value):
            raise ArgumentError(f"{name} of {rule.name} is {limit.words}. Received: {value!r}.")


def differing_settings(owner: HasSettings) -> tuple[str, ...]:
    """Names of the settings of a dataclass that are not at its defaults. A schedule counts as given."""
    defaults = {one.name: _default(one) for one in dataclasses.fields(type(owner))}  # type: ignore[arg-type]
    return tuple(name for name, value in owner.settings.items() if not same_value(value, defaults.get(name)))


def same_value(one: object, other: object) -> bool:
    """Whether two settings are the same. Two schedules are not, unless they are one object."""
    if one is other:
        return True
    if isinstance(one, Schedule | ReactiveSchedule) or isinstance(other, Schedule | ReactiveSchedule):
        return False
    try:
        return bool(np.array_equal(np.asarray(one), np.asarray(other)))
    except (TypeError, ValueError, RuntimeError):
        return False


def _default(field: dataclasses.Field[Any]) -> object:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _choices(rule: HasSettings) -> dict[str, Limit | Choice]:
    """Settings that are yes or no, as the annotations say."""
    kind: Any = type(rule)
    own = setting_names(kind)
    return {one.name: YES_OR_NO for one in dataclasses.fields(kind) if one.name in own and one.type in ("bool", bool)}
