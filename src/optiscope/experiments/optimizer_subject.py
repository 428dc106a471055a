"""What is checked: an optimizer in any of its forms, made for PyTorch parameters and stepped in one way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from optiscope.call_syntax import parse_call
from optiscope.errors import ArgumentError
from optiscope.experiments.race.simulation import record
from optiscope.frameworks.pytorch.foreign import foreign_factory, run_foreign
from optiscope.frameworks.pytorch.rule_optimizer import RuleOptimizer, torch_optimizer
from optiscope.optimizers.own import kind_of
from optiscope.optimizers.registered import registered
from optiscope.optimizers.rule import Rule
from optiscope.problems.functions.function import Function

_RATES = ("lr", "learning_rate")


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """An optimizer that is checked."""

    name: str
    """Its name."""
    make: Callable[[Any], Any]
    """Makes it for a list of parameters or groups."""
    rule: Rule | None = None
    """The rule that it follows, if it is one."""

    def step(self, optimizer: Any, parameters: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
        """One step with these gradients."""

        def closure() -> Tensor:
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            return torch.zeros(())

        closure()
        self.call(optimizer, closure if self.needs_closure else None)

    def call(self, optimizer: Any, closure: Callable[[], Any] | None) -> Any:
        """Call `step`, with a curvature of one for rules that ask for it."""
        arguments = () if closure is None else (closure,)
        if self.rule is None or self.rule.curvature == "none":
            return optimizer.step(*arguments)
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        curvature = [
            torch.ones_like(one) if self.rule.curvature == "diagonal" else torch.eye(one.numel(), dtype=one.dtype)
            for one in parameters
        ]
        return optimizer.step(*arguments, curvature=curvature)

    @cached_property
    def takes_closure(self) -> bool:
        """Whether `step` has an argument."""
        return len(inspect.signature(self.make([nn.Parameter(torch.ones(2, 2))]).step).parameters) > 0

    @cached_property
    def needs_closure(self) -> bool:
        """Whether `step` fails without a closure and works with one."""
        if not self.takes_closure:
            return False
        for closure in (None, lambda: torch.zeros(())):
            parameter = nn.Parameter(torch.ones(2, 2))
            optimizer = self.make([parameter])
            parameter.grad = torch.ones(2, 2)
            try:
                self.call(optimizer, closure)
            except Exception:
                continue
            return closure is not None
        return False

    def losses(self, problem: Function, start: Float[np.ndarray, " parameters"], steps: int, slower: float) -> Any:
        """The losses along its way on a problem, with the learning rate divided by `slower`; None if it has none."""
        with np.errstate(all="ignore"):
            if self.rule is not None:
                rate = next((self.rule.settings[name] for name in _RATES if name in self.rule.settings), None)
                if slower != 1 and not isinstance(rate, int | float):
                    return None
                rule = self.rule
                if slower != 1:
                    name = next(name for name in _RATES if name in rule.settings)
                    rule = rule.with_settings(**{name: rule.settings[name] / slower})
                kept = record(problem, rule, start[np.newaxis], steps=steps, seeds=np.zeros(1, dtype=np.int64))
                return problem.value(kept.points[:, 0])
            if slower != 1 and not _slow_down(self.make([nn.Parameter(torch.ones(2, 2))]), slower):
                return None

            def factory(parameters: list[nn.Parameter]) -> Any:
                optimizer = self.make(parameters)
                _slow_down(optimizer, slower)
                return optimizer

            factory.__name__ = self.name
            return problem.value(run_foreign(problem, factory, start, steps=steps, bound=1e6).points)


def subject_of(optimizer: object, settings: Mapping[str, Any]) -> Subject:
    """Make a subject of what users name or pass; see `check_optimizer`."""
    if isinstance(optimizer, str):
        call = parse_call(optimizer)
        own = registered(call.name)
        if own is not None and own.kind == "torch class":
            return Subject(name=own.name, make=partial(own.make, **own.checked({**call.settings, **settings})))
        if "." in call.name:
            return Subject(name=call.name, make=foreign_factory(optimizer).with_settings(**settings))
    if isinstance(optimizer, Subject):
        return optimizer
    kind = kind_of(optimizer)
    if kind in ("name", "rule"):
        return _of_rule(optimizer, settings)
    if kind == "torch optimizer":
        raise ArgumentError(
            "An optimizer is tried on parameters of its own, so pass its class, or a function that makes it from a "
            f"list of parameters, not one that has its parameters already. Received: {type(optimizer).__name__}."
        )
    if not callable(optimizer):
        raise ArgumentError(
            "An optimizer is a name, a rule, a chain, an object with init and update, or a class that is made from "
            f"PyTorch parameters and has step. Received: {optimizer!r}."
        )
    made = _first_result(optimizer, settings, takes_parameters=kind == "torch factory")
    if kind_of(made) == "rule":
        return _of_rule(made, {})
    name = _name_of(optimizer)
    if not callable(getattr(made, "step", None)):
        raise ArgumentError(
            f"What {name} makes of a list of parameters has no method step. Received: {type(made).__name__}."
        )
    return Subject(name=name, make=partial(optimizer, **settings))


def _of_rule(optimizer: object, settings: Mapping[str, Any]) -> Subject:
    if isinstance(optimizer, type) and not issubclass(optimizer, Rule):
        optimizer, settings = optimizer(**settings), {}
    made = torch_optimizer([nn.Parameter(torch.ones(2))], optimizer, **settings)
    # With the settings checked and in place.
    rule = made.group_rules[0]
    return Subject(name=rule.title, make=lambda parameters: RuleOptimizer(parameters, rule), rule=rule)


def _name_of(optimizer: object) -> str:
    inner = optimizer.func if isinstance(optimizer, partial) else optimizer
    return str(getattr(inner, "__name__", type(inner).__name__))


def _first_result(make: Callable[..., Any], settings: Mapping[str, Any], *, takes_parameters: bool) -> Any:
    """What a class or function makes of parameters, or of nothing."""
    arguments = ([nn.Parameter(torch.ones(2, 2))],) if takes_parameters else ()
    try:
        return make(*arguments, **settings)
    except Exception as error:
        raise ArgumentError(
            f"{_name_of(make)} could not be made for a list of parameters: {error}. Received: {make!r}."
        ) from error


def _slow_down(optimizer: Any, factor: float) -> bool:
    """Divide the learning rate, and say whether there is one."""
    found = False
    for group in getattr(optimizer, "param_groups", ()):
        if isinstance(group, dict) and "lr" in group:
            group["lr"] = group["lr"] / factor
            found = True
    for name in _RATES:
        if not found and isinstance(getattr(optimizer, name, None), int | float):
            setattr(optimizer, name, getattr(optimizer, name) / factor)
            found = True
    return found
