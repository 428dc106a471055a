"""What the settings of transformations have to be, beyond the limits that all settings of a name share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from optiscope.errors import ArgumentError
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.requirements import is_count
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.optimizers.settings import check_settings
from optiscope.optimizers.transformations.transformation import Transformation


def check_positive(transformation: Transformation, *settings: str) -> None:
    """Raise `ArgumentError` unless the settings are schedules or finite numbers above 0, and check all others."""
    check_settings(transformation)
    _check(transformation, settings, "a finite number above 0", lambda value: 0 < value < math.inf)


def check_not_negative(transformation: Transformation, *settings: str) -> None:
    """Raise `ArgumentError` unless the settings are schedules or finite numbers from 0, and check all others."""
    check_settings(transformation)
    _check(transformation, settings, "a finite number, 0 or above", lambda value: 0 <= value < math.inf)


def check_count(transformation: Transformation, setting: str, *, least: int = 1) -> None:
    """Raise `ArgumentError` unless the setting is a whole number of at least `least`, and check all others."""
    check_settings(transformation)
    value = transformation.settings[setting]
    if not is_count(value, least=least):
        raise ArgumentError(
            f"{setting} of {transformation.name} is a whole number, {least} or above. Received: {value!r}."
        )


def _check(
    transformation: Transformation, settings: tuple[str, ...], words: str, holds: Callable[[float], bool]
) -> None:
    for setting in settings:
        value = transformation.settings[setting]
        if isinstance(value, Schedule | ReactiveSchedule):
            continue
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "fiu" or not all(holds(float(number)) for number in numbers.ravel()):
            raise ArgumentError(f"{setting} of {transformation.name} is {words}. Received: {value!r}.")
