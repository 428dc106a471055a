"""What the settings of schedules have to be; checked when a schedule is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral

from optiscope.errors import ArgumentError
from optiscope.optimizers.limits import AT_MOST_ONE, FINITE, NOT_NEGATIVE, POSITIVE, Choice, Limit, at_least
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule

AnySchedule = Schedule | ReactiveSchedule
"""Whether it looks at losses or not."""


def require_finite(schedule: AnySchedule, *settings: str) -> None:
    """Raise `ArgumentError` unless each of the settings is a finite number."""
    _require_number(schedule, settings, FINITE)


def require_not_negative(schedule: AnySchedule, *settings: str) -> None:
    """Raise `ArgumentError` unless each of the settings is a finite number, 0 or above."""
    _require_number(schedule, settings, NOT_NEGATIVE)


def require_positive(schedule: AnySchedule, *settings: str) -> None:
    """Raise `ArgumentError` unless each of the settings is a finite number above 0."""
    _require_number(schedule, settings, POSITIVE)


def require_at_most_one(schedule: AnySchedule, *settings: str) -> None:
    """Raise `ArgumentError` unless each of the settings is at least 0 and at most 1."""
    _require_number(schedule, settings, AT_MOST_ONE)


def require_steps(schedule: AnySchedule, *settings: str, least: int = 1) -> None:
    """Raise `ArgumentError` unless each of the settings is a whole number of at least `least`."""
    _require_number(schedule, settings, at_least(least))


def require_choice(schedule: AnySchedule, setting: str, choices: Sequence[str]) -> None:
    """Raise `ArgumentError` unless the setting is one of the choices."""
    choice = Choice(choices=choices)
    _require(schedule, (setting,), choice.words, choice.allows)


def require_rising_steps(schedule: AnySchedule, setting: str) -> None:
    """Raise `ArgumentError` unless the setting is a tuple of whole numbers above 0 in rising order."""

    def holds(value: object) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) > 0
            and all(is_count(one, least=1) for one in value)
            and all(before < after for before, after in pairwise(value))
        )

    _require(schedule, (setting,), "a tuple of whole numbers above 0 in rising order, such as (30, 60)", holds)


def require_schedules(schedule: AnySchedule, setting: str, schedules: object) -> None:
    """Raise `ArgumentError` unless `schedules`, the value of the setting, is a tuple of `Schedule`s, at least one.

    One that reacts to losses is none: what it gives does not depend on the step alone.
    """
    if isinstance(schedules, tuple) and schedules and all(isinstance(one, Schedule) for one in schedules):
        return
    raise ArgumentError(
        f"{setting} of {schedule.name} takes schedules such as Cosine(start=0.1, steps=100); those that react to "
        f"losses cannot be combined. Received: {getattr(schedule, setting)!r}."
    )


def is_count(value: object, *, least: int) -> bool:
    """Whether the value is a whole number of at least `least`."""
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= least


def _require_number(schedule: AnySchedule, settings: Sequence[str], limit: Limit) -> None:
    _require(schedule, settings, limit.words, limit.allows_number)


def _require(schedule: AnySchedule, settings: Sequence[str], words: str, holds: Callable[..., bool]) -> None:
    for setting in settings:
        value = getattr(schedule, setting)
        if not holds(value):
            raise ArgumentError(f"{setting} of {schedule.name} is {words}. Received: {value!r}.")
