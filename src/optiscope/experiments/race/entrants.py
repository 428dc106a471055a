"""From what a user names to who takes part: names, rules, classes, functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optiscope.call_syntax import parse_call, spell_call, split_calls
from optiscope.errors import ArgumentError
from optiscope.experiments.race.contestant import Contestant, RuleContestant
from optiscope.experiments.race.torch_contestant import (
    TorchContestant,
    torch_contestant_by_name,
    torch_contestant_of,
)
from optiscope.optimizers.aliases import in_our_names
from optiscope.optimizers.own import as_rule, kind_of
from optiscope.optimizers.registered import registered
from optiscope.optimizers.registry import rule, rule_types
from optiscope.optimizers.rule import Rule
from optiscope.optimizers.settings import same_value

ALL = "all"
"""Every rule of our own."""


def entrants(optimizers: object) -> list[Contestant]:
    """Those who take part, with labels that differ.

    Args:
        optimizers: "all", one optimizer, or several: a name such as "adam", "adam(learning_rate=0.1)", "torch.Adam" or
            "pytorch_optimizer.Lion", several names with commas; a `Rule`, a chain, an object with `init` and `update`;
            a class or function that makes an optimizer with `zero_grad` and `step` from a list of PyTorch parameters.

    Raises `UnknownName` for a name that nothing has, and `ArgumentError` for anything else that cannot race.
    """
    wanted = optimizers if isinstance(optimizers, Sequence) and not isinstance(optimizers, str) else [optimizers]
    found: list[Contestant] = []
    for one in wanted:
        if isinstance(one, str):
            for name in split_calls(one):
                found += [contestant(each) for each in (rule_types() if name == ALL else [name])]
        else:
            found.append(contestant(one))
    if not found:
        raise ArgumentError(f"A race needs at least one optimizer. Received: {optimizers!r}.")
    return _with_labels_that_differ(found)


def contestant(optimizer: object) -> Contestant:
    """One who takes part; see `entrants`."""
    if isinstance(optimizer, RuleContestant | TorchContestant):
        return optimizer
    match kind_of(optimizer):
        case "name":
            return _named(str(optimizer))
        case "rule" | "rule maker":
            made = as_rule(optimizer)
            return _of_rule(made, given=made.differing_settings())
        case "torch factory":
            return torch_contestant_of(optimizer)  # type: ignore[arg-type]
        case "torch optimizer":
            raise ArgumentError(
                "This optimizer has its parameters already, and a race gives each its own. Pass its class, or a "
                f"function that makes one of a list of parameters. Received: {optimizer!r}."
            )
        case _:
            raise ArgumentError(
                "An optimizer is a name, a rule or chain, an object with init and update, or a class that is made "
                f"from a list of PyTorch parameters and has zero_grad and step. Received: {optimizer!r}."
            )


def _named(text: str) -> Contestant:
    call = parse_call(text)
    if "." in call.name:
        return torch_contestant_by_name(text)
    own = registered(call.name)
    if own is not None and own.kind == "torch class":
        return torch_contestant_of(own.make, label=own.name, given=own.checked(call.settings))
    made = rule(text)
    given = set(in_our_names(call.settings, made.settings)) & set(made.settings)
    # Arguments of a registered function may have other names than the settings of the rule that it makes.
    other = rule(call.name).settings if own is not None else None
    differing = (
        made.differing_settings()
        if other is None
        else [name for name, value in made.settings.items() if name not in other or not same_value(value, other[name])]
    )
    return _of_rule(made, given=[name for name in made.settings if name in given or name in differing])


def _of_rule(made: Rule, *, given: Sequence[str]) -> RuleContestant:
    return RuleContestant(
        rule=made,
        label=made.title,
        name=made.name,
        search={
            name: each
            for name, each in made.search.items()
            if name not in given and isinstance(made.settings[name], int | float)
        },
        given=tuple(given),
    )


def _with_labels_that_differ(found: list[Contestant]) -> list[Contestant]:
    labels = [one.label for one in found]
    result: list[Contestant] = []
    for one in found:
        label = one.label
        if labels.count(label) > 1:
            rate = {name: one.settings[name] for name in _telling_apart(one, found)}
            label = spell_call(label, rate)
        if any(label == other.label for other in result):
            raise ArgumentError(
                f"Two entrants are the same: {label}. Leave one away, or give them other settings. "
                f"Received: {[each.name for each in found]!r}."
            )
        result.append(replace(one, label=label))  # type: ignore[type-var]
    return result


def _telling_apart(one: Contestant, found: list[Contestant]) -> list[str]:
    """The settings in which this contestant differs from another with the same label."""
    same = [other for other in found if other.label == one.label]
    return [
        name
        for name, value in one.settings.items()
        if any(name in other.settings and other.settings[name] != value for other in same)
    ]
