"""Finds update rules by name: each module of `rules` has a `RULE`, and users register their own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from optiscope.call_syntax import parse_call
from optiscope.construction import construct
from optiscope.errors import UnknownName
from optiscope.optimizers.rule import Rule


@lru_cache(maxsize=1)
def rule_types() -> Mapping[str, type[Rule]]:
    """Every rule of the package by name, in alphabetical order."""
    package = importlib.import_module("optiscope.optimizers.rules")
    modules = (
        importlib.import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    )
    found = {module.RULE.name: module.RULE for module in modules}
    return dict(sorted(found.items()))


def rule(name: str, **settings: object) -> Rule:
    """Make the rule of that name, which may carry settings: "adam", "adam(learning_rate=0.1)".

    Raises `UnknownName` for an unknown name or setting, and `ArgumentError` for a setting outside its limits.
    """
    call = parse_call(name)
    kinds = rule_types()
    if call.name not in kinds:
        raise UnknownName.among(call.name, kinds, kind="optimizer")
    return construct(kinds[call.name], {**call.settings, **settings}, kind=f"setting of {call.name}")
