"""Any update rule as a real PyTorch optimizer: with groups, schedulers, hooks, scalers and saved state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.aliases import SHORT_NAMES, in_our_names
from optiscope.optimizers.own import as_rule
from optiscope.optimizers.rule import Rule, TensorRule
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule

Parameters: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
"""Parameters, or groups of them with their own settings, as every PyTorch optimizer takes them."""
Closure: TypeAlias = Callable[[], Any]
"""Computes the loss and its gradients anew, and returns the loss."""

_RATE = "learning_rate"
_KEYS = {_RATE: "lr"}
"""Settings that have another name in a PyTorch group: schedulers look for "lr"."""
_STEPS = "optiscope_step"
"""Key of the count of steps in a group. Not "step": a user's own rule may have a setting of that name."""
_WHOLE = "group"
"""Key of the state of a rule that does not treat each tensor by itself; kept at the first parameter of its group."""


def torch_optimizer(parameters: Parameters, rule: object, **settings: Any) -> RuleOptimizer:
    """Make a PyTorch optimizer that follows an update rule.

        optimizer = osc.torch_optimizer(model.parameters(), "adam", learning_rate=0.01)
        optimizer = osc.torch_optimizer(model.parameters(), osc.chain(...))

    Args:
        parameters: of the model, or groups of them; a group may have its own settings.
        rule: a name with or without settings, a `Rule` or its class, a chain, or an object that `as_rule` takes.
        settings: settings of the rule, each a number or a `Schedule`; `lr`, `eps` and `betas` are understood too.

    Raises `UnknownName` for an unknown rule or setting, and `ArgumentError` for a setting outside its limits.
    """
    return RuleOptimizer(parameters, _with_settings(as_rule(rule), settings))


class RuleOptimizer(Optimizer):
    """A PyTorch optimizer that follows `rule`; made by `torch_optimizer`.

    Each group holds the rule's settings, which may be changed there at any time; the learning rate is "lr", as
    PyTorch's schedulers expect. A setting that is a `Schedule` is written into the group at every step.

    A parameter without a gradient is left alone, with its state. Rules that look at all tensors together (such as
    L-BFGS, and chains that clip by the global norm) see one group at a time, with a zero gradient for such a parameter.

    `OneCycleLR` and `CyclicLR` take `cycle_momentum=False` here, unless the rule has a setting `momentum`: they look
    for PyTorch's names of that. A rule with several learning rates, or none, takes schedules of ours alone.

    It differs from PyTorch's own classes in that the rule makes new state at each step instead of changing the old:
    somewhat slower, and easier to keep a copy of.
    """

    def __init__(self, params: Parameters, rule: Rule) -> None:
        self.rule = rule
        """The rule, with the settings of groups that have no others."""
        self._rules: list[Rule] = []
        self._is_evaluating = False
        _refuse_reactive(rule)
        _refuse_reserved(rule)
        super().__init__(params, _group_settings(rule))

    @property
    def title(self) -> str:
        """Name of the rule for legends and tables; a recording has it as the optimizer's name."""
        return self.rule.title

    @property
    def group_rules(self) -> tuple[Rule, ...]:
        """The rule of each group, with the settings that it was made with."""
        return tuple(self._rules)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; settings of the rule in it hold for this group."""
        others = dict(param_group)
        valid = {*self.rule.settings, *SHORT_NAMES, "betas"}
        rule = _with_settings(self.rule, {name: others.pop(name) for name in valid & others.keys()})
        super().add_param_group(_ParameterGroup({**others, **_group_settings(rule), _STEPS: 0}))
        self._rules.append(rule)

    @torch.no_grad()
    def step(self, closure: Closure | None = None, *, curvature: Sequence[Tensor | None] | None = None) -> Any:
        """Take one step, and return the loss if a closure is given.

        Args:
            closure: computes the loss and the gradients anew. Rules that look ahead need it: they ask for the
                gradient at another point than where the parameters are.
            curvature: for rules that ask for it (`Rule.curvature`): one tensor for each parameter, in the order of
                the groups; the diagonal of the Hessian, or the Hessian matrix over the flattened parameter.

        Raises `ArgumentError` for a missing closure, a sparse gradient or curvature of the wrong shape.
        """
        if self._is_evaluating:
            raise ArgumentError(
                "Inside `with optimizer.evaluation()` the parameters are averages, which cannot be trained. "
                "Call step outside. Received: a call of step inside."
            )
        groups = [
            _Group(self, group, self._current(number, group), number) for number, group in enumerate(self.param_groups)
        ]
        loss = self._evaluate(closure, groups)
        curvatures = _by_parameter(curvature, self.param_groups)
        for group in groups:
            group.check()
        for group in groups:
            group.step(curvatures)
        return loss

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Inside, the parameters have the values to judge and to save: their average, for rules that average them."""
        kept: list[tuple[Tensor, Tensor]] = []
        with torch.no_grad():
            for number, group in enumerate(self.param_groups):
                for parameter, value in _Group(self, group, self._current(number, group), number).evaluation_points():
                    kept.append((parameter, parameter.detach().clone()))
                    parameter.copy_(value)
        self._is_evaluating = True
        try:
            yield
        finally:
            self._is_evaluating = False
            with torch.no_grad():
                for parameter, value in kept:
                    parameter.copy_(value)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave; training goes on as if it had never been interrupted."""
        super().load_state_dict(state_dict)
        # PyTorch gives each tensor of the state its parameter's dtype. A rule chose its dtypes itself.
        saved = [number for group in state_dict["param_groups"] for number in group["params"]]
        own = [parameter for group in self.param_groups for parameter in group["params"]]
        for number, parameter in zip(saved, own, strict=True):
            if number in state_dict["state"]:
                to_device = partial(torch.Tensor.to, device=parameter.device)
                self.state[parameter] = _map_tensors(state_dict["state"][number], to_device)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # PyTorch makes plain dicts of the groups that it loads.
        super().__setstate__({**state, "param_groups": [_ParameterGroup(group) for group in state["param_groups"]]})

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "rule": self.rule, "_rules": self._rules, "_is_evaluating": False}

    def __repr__(self) -> str:
        return super().__repr__().replace(type(self).__name__, f"{type(self).__name__} of {self.rule.title}", 1)

    def _current(self, number: int, group: dict[str, Any]) -> Rule:
        """The rule with the settings that the group has now; those that follow a schedule are written into it."""
        rule = self._rules[number]
        for name, value in rule.settings.items():
            if isinstance(value, Schedule):
                if name == _RATE and "initial_lr" in group:
                    raise ArgumentError(
                        "The learning rate follows a schedule of the rule already, so a scheduler of PyTorch has no "
                        f"effect. Leave out one of the two. Received: {value!r} and a scheduler."
                    )
                group[_KEYS.get(name, name)] = value(group[_STEPS])
        before = sum(len(one["params"]) for one in self.param_groups[:number])
        settings = {name: group[_KEYS.get(name, name)] for name in _plain_settings(rule)}
        return rule.with_settings(**settings, first_tensor=before)

    def _evaluate(self, closure: Closure | None, groups: Sequence[_Group]) -> Any:
        """Call the closure where the rules want the gradient, and come back."""
        if closure is None:
            for group in groups:
                if group.looks_ahead and any(True for _ in group.probes()):
                    raise ArgumentError(
                        f"{group.rule.title} looks ahead: it asks for the gradient at another point than where the "
                        "parameters are. Pass a closure that computes the loss and its gradients. Received: step()."
                    )
            return None
        kept: list[tuple[Tensor, Tensor]] = []
        for group in groups:
            if group.looks_ahead:
                for parameter, probe in list(group.probes()):
                    kept.append((parameter, parameter.detach().clone()))
                    parameter.copy_(probe)
        try:
            with torch.enable_grad():
                return closure()
        finally:
            for parameter, value in kept:
                parameter.copy_(value)


class _ParameterGroup(dict[str, Any]):
    """A group of parameters that says why it has no learning rate, when a scheduler asks for it."""

    def __missing__(self, key: str) -> Any:
        if key != _KEYS[_RATE]:
            raise KeyError(key)
        rates = [name for name in self if str(name).endswith(_RATE)]
        raise ArgumentError(
            "PyTorch's schedulers change the one learning rate of a group, and this rule has "
            f"{'several' if rates else 'none'}. Give a schedule of ours to the setting itself, such as "
            f"scale_by_learning_rate(Cosine(start=0.1, steps=100)). Received: {', '.join(rates) or 'no learning rate'}."
        )


class _Group:
    """One group of parameters in one step."""

    def __init__(self, optimizer: RuleOptimizer, group: dict[str, Any], rule: Rule, number: int) -> None:
        self.rule = rule
        self._optimizer = optimizer
        self._group = group
        self._number = number
        self._parameters: list[Tensor] = group["params"]

    def check(self) -> None:
        """Raise `ArgumentError` for gradients that no rule can take, before anything is changed."""
        for index, parameter in enumerate(self._parameters):
            if parameter.grad is not None and parameter.grad.is_sparse:
                raise ArgumentError(
                    f"{self.rule.title} takes dense gradients. Make the layer with sparse=False, or give its "
                    "parameters to an optimizer for sparse gradients, such as torch.optim.SparseAdam. Received: a "
                    f"sparse gradient for parameter {index} of group {self._number}, of shape "
                    f"{tuple(parameter.shape)}."
                )

    def step(self, curvatures: Mapping[Tensor, Tensor | None] | None) -> None:
        """Update the parameters that have a gradient."""
        if isinstance(self.rule, TensorRule):
            for parameter in self._parameters:
                if parameter.grad is not None:
                    own = self._tensor_state(self.rule, parameter)
                    wanted = None if curvatures is None else curvatures.get(parameter)
                    update, state = self.rule.update_tensor(
                        _real(parameter.grad), own, _real(parameter), curvature=wanted
                    )
                    self._keep(parameter, state, beside=[parameter])
                    _real(parameter).add_(update)
        elif any(parameter.grad is not None for parameter in self._parameters):
            points = self._points()
            gradients = tuple(
                torch.zeros_like(point) if parameter.grad is None else _real(parameter.grad)
                for point, parameter in zip(points, self._parameters, strict=True)
            )
            wanted_by_all = None if curvatures is None else tuple(curvatures.get(one) for one in self._parameters)
            updates, state = self.rule.update(gradients, self._whole_state(), points, curvature=wanted_by_all)
            self._keep(self._parameters[0], {_WHOLE: state}, beside=self._parameters)
            for parameter, point, update in zip(self._parameters, points, updates, strict=True):
                if parameter.grad is not None:
                    point.add_(update)
        self._group[_STEPS] += 1

    @property
    def looks_ahead(self) -> bool:
        """Whether the rule may want the gradient elsewhere than at the parameters."""
        if isinstance(self.rule, TensorRule):
            return type(self.rule).probe_tensor is not TensorRule.probe_tensor
        return type(self.rule).probe is not Rule.probe

    def probes(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter whose gradient is wanted elsewhere, and where."""
        if isinstance(self.rule, TensorRule):
            for parameter in self._parameters:
                point = _real(parameter)
                probe = self.rule.probe_tensor(self._tensor_state(self.rule, parameter), point)
                if probe is not point:
                    yield parameter, _like(parameter, probe)
        else:
            points = self._points()
            for parameter, point, probe in zip(
                self._parameters, points, self.rule.probe(self._whole_state(), points), strict=True
            ):
                if probe is not point:
                    yield parameter, _like(parameter, probe)

    def evaluation_points(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter that is judged elsewhere than where it is trained, and where."""
        state = self._optimizer.state
        if isinstance(self.rule, TensorRule):
            for parameter in self._parameters:
                point = _real(parameter)
                if state.get(parameter):
                    value = self.rule.evaluation_tensor(state[parameter], point)
                    if value is not point:
                        yield parameter, _like(parameter, value)
        elif self._parameters and state.get(self._parameters[0]):
            points = self._points()
            values = self.rule.evaluation_point(self._whole_state(), points)
            for parameter, point, value in zip(self._parameters, points, values, strict=True):
                if value is not point:
                    yield parameter, _like(parameter, value)

    def _points(self) -> tuple[Tensor, ...]:
        return tuple(_real(parameter) for parameter in self._parameters)

    def _tensor_state(self, rule: TensorRule, parameter: Tensor) -> Mapping[str, Any]:
        own: Mapping[str, Any] | None = self._optimizer.state.get(parameter)
        return own or rule.init_tensor(_real(parameter).clone())

    def _whole_state(self) -> Any:
        own = self._optimizer.state.get(self._parameters[0])
        return own[_WHOLE] if own else self.rule.init(tuple(point.clone() for point in self._points()))

    def _keep(self, parameter: Tensor, state: Mapping[str, Any], *, beside: Iterable[Tensor]) -> None:
        """Remember the new state, with copies of what lies in the memory of parameters and gradients, which change."""
        theirs = {
            tensor.untyped_storage().data_ptr() for one in beside for tensor in (one, one.grad) if tensor is not None
        }

        def own(tensor: Tensor) -> Tensor:
            return tensor.clone() if tensor.untyped_storage().data_ptr() in theirs else tensor

        self._optimizer.state[parameter] = _map_tensors(dict(state), own)


def _with_settings(rule: Rule, settings: Mapping[str, Any]) -> Rule:
    """The rule with other settings, checked."""
    valid = rule.settings
    named = in_our_names(settings, valid)
    for name in named:
        if name not in valid:
            raise UnknownName.among(name, valid, kind=f"setting of {rule.name}")
    changed = rule.with_settings(**named) if named else rule
    changed.check()
    _refuse_reactive(changed)
    return changed


def _refuse_reactive(rule: Rule) -> None:
    for name, value in rule.settings.items():
        if isinstance(value, ReactiveSchedule):
            raise ArgumentError(
                f"{name} depends on the losses, which an optimizer does not see. Give a number, and use PyTorch's "
                f"ReduceLROnPlateau with it. Received: {value}."
            )


def _plain_settings(rule: Rule) -> list[str]:
    """Settings that fit into a group, which is saved with the state: everything but objects."""
    return [name for name, value in rule.settings.items() if isinstance(value, Schedule) or _is_plain(value)]


def _group_settings(rule: Rule) -> dict[str, Any]:
    """Numbers and choices of a rule, as they stand in a group."""
    now = rule.at(0).settings
    return {_KEYS.get(name, name): _as_python(now[name]) for name in _plain_settings(rule)}


def _is_plain(value: object) -> bool:
    value = _as_python(value)
    if isinstance(value, tuple):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, bool | int | float | str | Tensor)


def _as_python(value: object) -> object:
    """A scalar of NumPy as a number of Python, which every way of saving can read."""
    is_scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if is_scalar else value  # type: ignore[attr-defined]


def _refuse_reserved(rule: Rule) -> None:
    taken = sorted({"params", "param_names", "initial_lr", _STEPS} & rule.settings.keys())
    both = "lr" in rule.settings and _RATE in rule.settings
    if taken or both:
        name = taken[0] if taken else "lr"
        raise ArgumentError(
            f"The setting {name!r} of {rule.name} has the name of something else in PyTorch's parameter groups. "
            f"Call it otherwise. Received: {', '.join(rule.settings)}."
        )


def _by_parameter(
    curvature: Sequence[Tensor | None] | None, groups: Sequence[Mapping[str, Any]]
) -> dict[Tensor, Tensor | None] | None:
    if curvature is None:
        return None
    parameters = [parameter for group in groups for parameter in group["params"]]
    if len(curvature) != len(parameters):
        raise ArgumentError(
            f"curvature has one tensor for each of the {len(parameters)} parameters, in the order of the groups. "
            f"Received: {len(curvature)}."
        )
    return dict(zip(parameters, curvature, strict=True))


def _real(tensor: Tensor) -> Tensor:
    """The tensor without its history; complex numbers as pairs of real ones, in the same memory."""
    plain = tensor.detach()
    return torch.view_as_real(plain) if plain.is_complex() else plain


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    return torch.view_as_complex(value.contiguous()) if parameter.is_complex() else value


def _map_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same structure of dicts, tuples, lists and dataclasses, with every tensor changed."""
    match value:
        case Tensor():
            return change(value)
        case Mapping():
            return {key: _map_tensors(one, change) for key, one in value.items()}
        case tuple() | list():
            parts = [_map_tensors(one, change) for one in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: _map_tensors(getattr(value, one.name), change) for one in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value
