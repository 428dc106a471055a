"""Finds the functions by name: each module beside this one that has a `FUNCTION` offers one."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from optiscope.call_syntax import parse_call
from optiscope.construction import construct
from optiscope.errors import UnknownName
from optiscope.problems.functions.function import Function


@lru_cache(maxsize=1)
def function_types() -> Mapping[str, type[Function]]:
    """Every function of the package by name, in alphabetical order."""
    package = importlib.import_module("optiscope.problems.functions")
    found: dict[str, type[Function]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "FUNCTION", None)
        if kind is not None:
            found[kind.name] = kind
    return dict(sorted(found.items()))


def function(name: str, **settings: object) -> Function:
    """Make the function of that name, which may carry settings: "rosenbrock", "rosenbrock(dimension=10)".

    Raises `UnknownName` for an unknown name or setting.
    """
    call = parse_call(name)
    kind = _in_its_own_module(call.name) or function_types().get(call.name)
    if kind is None:
        raise UnknownName.among(call.name, function_types(), kind="problem")
    return construct(kind, {**call.settings, **settings}, kind=f"setting of {call.name}")


def _in_its_own_module(name: str) -> type[Function] | None:
    """The function of that name, if its module is called so too: importing all others takes a fifth of a second."""
    module = f"optiscope.problems.functions.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        return None
    kind: type[Function] | None = getattr(importlib.import_module(module), "FUNCTION", None)
    return kind if kind is not None and kind.name == name else None
