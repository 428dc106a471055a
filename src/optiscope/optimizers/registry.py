"""Finds update rules by name: each module of `rules` has a `RULE`, and users register their own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache

from optiscope.call_syntax import parse_call
from optiscope.construction import construct, setting_names
from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.aliases import in_our_names
from optiscope.optimizers.registered import registered, registered_names
from optiscope.optimizers.rule import Rule
from optiscope.optimizers.schedules.registry import with_schedules


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
    """Make the rule of that name, which may carry settings: "adam", "adam(learning_rate=cosine(start=0.1, steps=99))".

    `lr`, `eps` and `betas` are understood as `learning_rate`, `epsilon`, and `beta1` with `beta2`.

    Raises `UnknownName` for an unknown name or setting, and `ArgumentError` for a setting outside its limits.
    """
    call = parse_call(name)
    kinds = rule_types()
    own = registered(call.name)
    if own is not None and own.kind == "torch class":
        raise ArgumentError(
            f"{call.name} changes PyTorch parameters by itself: it can be raced and checked, but is no update rule. "
            f"Received: {name!r}."
        )
    if own is None and call.name not in kinds:
        raise UnknownName.among(call.name, (*kinds, *registered_names()), kind="optimizer")
    given = {setting: with_schedules(value) for setting, value in {**call.settings, **settings}.items()}
    if own is not None:
        made: Rule = own.make(**own.checked(in_our_names(given, own.settings)))
        return made
    kind = kinds[call.name]
    return construct(kind, in_our_names(given, setting_names(kind)), kind=f"setting of {call.name}")
