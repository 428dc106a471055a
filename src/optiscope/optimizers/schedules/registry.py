"""Finds schedules by name: each module beside this one that has a `SCHEDULE` offers one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from optiscope.call_syntax import Call, parse_call
from optiscope.construction import construct, setting_names
from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.requirements import is_count
from optiscope.optimizers.schedules.schedule import Schedule


@lru_cache(maxsize=1)
def schedule_types() -> Mapping[str, type[Schedule] | type[ReactiveSchedule]]:
    """Every schedule of the package by name, in alphabetical order."""
    package = importlib.import_module("optiscope.optimizers.schedules")
    found: dict[str, type[Schedule] | type[ReactiveSchedule]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "SCHEDULE", None)
        if kind is not None:
            found[kind.name] = kind
    return dict(sorted(found.items()))


def schedule(name: str | Call, **settings: object) -> Schedule | ReactiveSchedule:
    """Make the schedule of that name: `schedule("cosine(start=0.1, steps=100)")`.

    Schedules within schedules are written the same way: "warm_up(steps=10, then=cosine(start=0.1, steps=100))".

    Raises `UnknownName` for an unknown name or setting, and `ArgumentError` for a setting that is missing or cannot be.
    """
    call = parse_call(name) if isinstance(name, str) else name
    kinds = schedule_types()
    if call.name not in kinds:
        raise UnknownName.among(call.name, kinds, kind="schedule")
    kind: Callable[..., Schedule | ReactiveSchedule] = kinds[call.name]
    given = {setting: with_schedules(value) for setting, value in {**call.settings, **settings}.items()}
    try:
        return construct(kind, given, kind=f"setting of {call.name}")
    except TypeError:
        # Only a dataclass's own complaint about missing arguments is put in other words.
        missing = [setting for setting in setting_names(kind) if setting not in given and not hasattr(kind, setting)]
        if not missing:
            raise
        raise ArgumentError(
            f"The schedule {call.name} needs a value for {' and '.join(missing)}, such as {call.name}"
            f"({', '.join(f'{setting}=…' for setting in missing)}). Received: {call.name}({', '.join(given)})."
        ) from None


def with_schedules(value: object) -> object:
    """The value of a setting with each schedule that is written in it, such as `cosine(start=0.1, steps=9)`, made."""
    if isinstance(value, Call):
        return schedule(value)
    if isinstance(value, tuple):
        return tuple(with_schedules(one) for one in value)
    return value


def values(schedule: Schedule, steps: int) -> Float[np.ndarray, " steps"]:
    """The numbers of the first `steps` steps.

    Raises `ArgumentError` for a schedule that reacts to losses: those have `ReactiveSchedule.values(losses)`.
    """
    if not isinstance(schedule, Schedule):
        raise ArgumentError(
            "Only a Schedule has its numbers before the steps. One that reacts to losses has them for given losses: "
            f"schedule.values(losses). Received: {schedule!r}."
        )
    if not is_count(steps, least=0):
        raise ArgumentError(f"steps is a whole number, 0 or above. Received: {steps!r}.")
    return np.array([schedule(step) for step in range(steps)], dtype=float)
