"""Optimizers that users have given a name, for as long as the program runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from optiscope.errors import UnknownName


@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """One optimizer of a user's own."""

    name: str
    """Name by which it is asked for."""
    kind: Literal["rule", "torch class"]
    """What `make` makes: "rule": a `Rule`, from settings; "torch class": an object with `step`, from a list of PyTorch
    parameters and settings."""
    make: Callable[..., Any]
    """Makes it."""
    source: object
    """What was registered."""
    settings: tuple[str, ...]
    """Names of the settings that `make` takes."""

    def checked(self, settings: Mapping[str, object]) -> dict[str, object]:
        """These settings. Raises `UnknownName` for one that `make` does not take."""
        for setting in settings:
            if setting not in self.settings:
                raise UnknownName.among(setting, self.settings, kind=f"setting of {self.name}")
        return dict(settings)


_KEPT: dict[str, Registered] = {}


def registered(name: str) -> Registered | None:
    """The user's optimizer of that name, if there is one."""
    return _KEPT.get(name)


def registered_names() -> tuple[str, ...]:
    """The names of all optimizers that users have registered, in alphabetical order."""
    return tuple(sorted(_KEPT))


def keep(one: Registered) -> None:
    """Let an optimizer be found by its name; one of the same name is replaced."""
    _KEPT[one.name] = one


def forget(name: str) -> None:
    """Let the name be free again. Nothing happens when it is."""
    _KEPT.pop(name, None)


def names_of_settings(make: Callable[..., Any], *, after: int = 0) -> tuple[str, ...]:
    """The names of the arguments that `make` takes after the first few; those in * and ** are not settings."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(make).parameters.values())[after:]
    return tuple(one.name for one in parameters if one.kind in kinds)
