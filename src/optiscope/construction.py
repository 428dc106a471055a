"""Makes an object from settings by name, with an error that names the valid settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from optiscope.errors import UnknownName

T = TypeVar("T")


@lru_cache
def setting_names(kind: Any) -> tuple[str, ...]:
    """Names of the settings of a dataclass: its fields, without those that are marked `internal` in their metadata."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(
        field.name for field in dataclasses.fields(kind) if field.init and not field.metadata.get("internal", False)
    )


def construct(make: Callable[..., T], settings: Mapping[str, object], *, kind: str) -> T:
    """Call the dataclass `make` with `settings`. Raises `UnknownName`, in terms of `kind`, for a setting it lacks."""
    valid = setting_names(make)
    for name in settings:
        if name not in valid:
            raise UnknownName.among(name, valid, kind=kind)
    return make(**settings)
