"""Finds the functions by name: each module beside this one that has a `FUNCTION` offers one."""

from __future__ import annotations

import importlib
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
    kinds = function_types()
    if call.name not in kinds:
        raise UnknownName.among(call.name, kinds, kind="problem")
    return construct(kinds[call.name], {**call.settings, **settings}, kind=f"setting of {call.name}")
