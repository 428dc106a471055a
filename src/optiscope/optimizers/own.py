"""Optimizers of a user's own: given a name, and made to work wherever a rule of ours does."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from optiscope.construction import setting_names
from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.registered import Registered, keep, names_of_settings, registered
from optiscope.optimizers.registry import rule, rule_types
from optiscope.optimizers.rule import Batching, Rule, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.settings import same_value

T = TypeVar("T")

Kind: TypeAlias = Literal["name", "rule", "rule maker", "torch factory", "torch optimizer", "unknown"]
"""What users pass as an optimizer; see `kind_of`."""

_NAME = re.compile(r"[A-Za-z_][\w\-]*")
_RESERVED = frozenset({"all"})
RESERVED_SETTINGS = frozenset(
    {"name", "title", "paper", "reference", "original", "params", "param_names", "initial_lr", "optiscope_step"}
)
"""Names that no setting may have: those of the rule itself, and what PyTorch and we keep in a parameter group."""
_SEARCH: Mapping[str, Range] = {
    "learning_rate": LEARNING_RATE,
    "lr": LEARNING_RATE,
    "momentum": MOMENTUM,
    "beta1": MOMENTUM,
    "beta2": DECAY,
}
"""Where tuning looks for settings of these names, unless the class says otherwise in `search`."""


def register_optimizer(name: str) -> Callable[[T], T]:
    """Give a user's optimizer a name, by which it can be raced, checked and trained with like those built in.

        @osc.register_optimizer("slow_sign")
        class SlowSign:
            def __init__(self, learning_rate=0.01):
                self.learning_rate = learning_rate

            def init(self, parameter):
                return {}

            def update(self, gradient, state, parameter):
                return -self.learning_rate * gradient / abs(gradient), state

    What is decorated may be

    - a class with `init` and `update`, as `as_rule` takes its objects;
    - a subclass of `Rule` or `TensorRule`; of name, title, paper and reference it gets those that it lacks;
    - a function that returns a rule, a chain or an object as above; its arguments are the settings;
    - a class that is made from PyTorch parameters and has `zero_grad` and `step`.

    The name has letters, digits, `_` and `-`. Raises `ArgumentError` for another name, for one that is taken (the same
    definition may be run again, as in a notebook), and for anything else that is decorated.
    """
    if not isinstance(name, str):
        raise ArgumentError(
            f'register_optimizer takes a name first: write @register_optimizer("my_optimizer"). Received: {name!r}.'
        )
    if _NAME.fullmatch(name) is None or name in _RESERVED:
        raise ArgumentError(
            "The name of an optimizer starts with a letter and has letters, digits, _ and - only, so that settings can "
            f"follow it in parentheses; it is not 'all'. Received: {name!r}."
        )

    def decorate(source: T) -> T:
        _refuse_if_taken(name, source)
        keep(_registered(name, source))
        return source

    return decorate


def kind_of(optimizer: object) -> Kind:
    """What a user has passed as an optimizer: the one place that tells the forms apart.

    - "name": a string;
    - "rule": a `Rule`, a chain, an object with `init` and `update`, or the class of one;
    - "rule maker": a function, or a `functools.partial`, that has no argument without a default: called, it gives one
      of the two above;
    - "torch factory": a class with `step`, or anything that is called with a list of PyTorch parameters;
    - "torch optimizer": an object with `step`, which already has its parameters and so cannot be given others;
    - "unknown": anything else.
    """
    if isinstance(optimizer, str):
        return "name"
    if isinstance(optimizer, Rule) or (isinstance(optimizer, type) and issubclass(optimizer, Rule)):
        return "rule"
    if callable(getattr(optimizer, "step", None)):
        return "torch factory" if isinstance(optimizer, type) else "torch optimizer"
    if _has_update(optimizer):
        return "rule"
    if isinstance(optimizer, partial):
        inner = kind_of(optimizer.func)
        if inner == "rule":
            return "rule maker"
        if isinstance(optimizer.func, type):
            return inner
    if not callable(optimizer):
        return "unknown"
    return "torch factory" if isinstance(optimizer, type) or _needs_argument(optimizer) else "rule maker"


def _needs_argument(make: Callable[..., Any]) -> bool:
    """Whether it is called with something: an argument without a default, or any number of them."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return True
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(
        one.kind == one.VAR_POSITIONAL or (one.default is one.empty and one.kind in by_place) for one in parameters
    )


def as_rule(optimizer: object, *, name: str | None = None) -> Rule:
    """Make a `Rule` of what a user has.

    Args:
        optimizer: a name such as "adam(beta1=0.8)"; a rule, a chain, or the class of one; an object, or the class of
            one, with `init(parameter) -> state` and `update(gradient, state, parameter) -> (update, state)`, which see
            one array each and whose update is added to the parameter; or a function that returns any of these.
        name: name and title of a rule that is made of an object; the name of its class when left out.

    The arguments of an object's constructor are the settings of the rule, if the object keeps each under its own name,
    as it is (`self.decay = decay`); then they can be tuned, scheduled, and set for a group of parameters. An object
    that keeps something else (`self.decay = 1 - decay`) has no settings, as it could not be made anew from them.
    An object with settings is made anew when one changes, so it must not remember anything in itself: what it
    remembers is the state.
    It may also have `probe(state, parameter)`, `evaluation_point(state, parameter)` and
    `effective_rate(state, parameter)`, and the attributes `title`, `paper`, `reference`, `search`, `batching` and
    `curvature`; see `Rule`.

    Raises `ArgumentError` for anything else; and, when it is used, for an update that has not the parameter's shape.
    """
    kind = kind_of(optimizer)
    if isinstance(optimizer, str):
        return rule(optimizer)
    if isinstance(optimizer, Rule):
        return optimizer
    if kind == "torch optimizer" or _is_torch_class(optimizer):
        raise ArgumentError(
            "A class with step changes PyTorch parameters by itself, so it is an optimizer already and cannot become "
            "a rule. Pass it as it is to race and check_optimizer, or write init and update instead. "
            f"Received: {optimizer!r}."
        )
    if kind == "rule" and not isinstance(optimizer, type):
        return _adapted(optimizer, name or type(optimizer).__name__)
    if callable(optimizer):
        return as_rule(_called(optimizer), name=name)
    raise ArgumentError(
        "An optimizer is a name, a rule, a chain, or an object with init(parameter) and update(gradient, state, "
        f"parameter). Received: {optimizer!r}."
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnRule(TensorRule):
    """What `as_rule` makes of an object with `init` and `update`."""

    paper: ClassVar[str] = "a user's own"
    reference: ClassVar[str] = "none"

    original: Any = field(repr=False, metadata={"internal": True})
    """The object."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """The object's state, in a dict."""
        return {"step": 0, "own": self._object().init(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """The object's update, checked."""
        more = {} if self.curvature == "none" else {"curvature": curvature}
        result = self._object().update(gradient, state["own"], parameter, **more)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(
                f"update of {self.name} returns two things: what is added to the parameter, and the new state. "
                f"Received: {_described(result)}."
            )
        update, after = result
        if getattr(update, "shape", None) != parameter.shape:
            raise ArgumentError(
                f"update of {self.name} returns as its first value an array of the parameter's shape, "
                f"{tuple(parameter.shape)}, which is added to the parameter. Received: {_described(update)}."
            )
        return update, {"step": state["step"] + 1, "own": after}

    def probe_tensor(self, state: TensorState, parameter: Array) -> Array:
        """What the object's `probe` gives, if it has one."""
        return self._asked("probe", state, parameter, otherwise=super().probe_tensor)

    def evaluation_tensor(self, state: TensorState, parameter: Array) -> Array:
        """What the object's `evaluation_point` gives, if it has one."""
        return self._asked("evaluation_point", state, parameter, otherwise=super().evaluation_tensor)

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """What the object's `effective_rate` gives; without one, its learning rate."""
        return self._asked("effective_rate", state, parameter, otherwise=self._rate)

    def differing_settings(self) -> tuple[str, ...]:
        """Names of the settings that are not at the defaults of the object's constructor."""
        defaults = {name: one.default for name, one in inspect.signature(type(self.original)).parameters.items()}
        return tuple(name for name, value in self.settings.items() if not same_value(value, defaults.get(name)))

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """The arrays in the object's state, if that is a dict."""
        own = state[0]["own"] if state else {}
        if not isinstance(own, Mapping):
            return {}
        return {str(name): value for name, value in own.items() if hasattr(value, "shape") and name != "step"}

    def _asked(self, method: str, state: TensorState, parameter: Array, *, otherwise: Callable[..., Array]) -> Array:
        own = getattr(self._object(), method, None)
        return otherwise(state, parameter) if own is None else own(state["own"], parameter)

    def _rate(self, state: TensorState, parameter: Array) -> Array:
        del state
        rate = self.settings.get("learning_rate", self.settings.get("lr", float("nan")))
        return namespace(parameter).zeros_like(parameter) + rate

    def _object(self) -> Any:
        """The object with the settings of the rule."""
        settings = self.settings
        if all(getattr(self.original, name) is value for name, value in settings.items()):
            return self.original
        return type(self.original)(**settings)


def _adapted(optimizer: object, name: str) -> OwnRule:
    """The object as a rule, of a class of its own: settings are fields."""
    settings = _settings_of(optimizer)
    _refuse_reserved([one for one in settings if hasattr(OwnRule, one)] or settings, type(optimizer), OwnRule)
    search = {setting: where for setting, where in _SEARCH.items() if setting in settings}
    kind = dataclasses.make_dataclass(
        type(optimizer).__name__,
        [(setting, Setting, field(default_factory=_giver(value))) for setting, value in settings.items()],
        bases=(OwnRule,),
        namespace={
            "__doc__": type(optimizer).__doc__,
            "name": name,
            "title": getattr(optimizer, "title", name),
            "paper": getattr(optimizer, "paper", OwnRule.paper),
            "reference": getattr(optimizer, "reference", OwnRule.reference),
            "search": getattr(optimizer, "search", search),
            "batching": _batching(optimizer),
            "curvature": getattr(optimizer, "curvature", "none"),
        },
        frozen=True,
        kw_only=True,
        eq=False,
    )
    made: OwnRule = kind(original=optimizer)
    return made


def _refuse_reserved(settings: Iterable[str], kind: type, base: type | None = None) -> None:
    for setting in settings:
        if setting in RESERVED_SETTINGS or (base is not None and hasattr(base, setting)):
            raise ArgumentError(
                f"The argument {setting!r} of {kind.__name__} has the name of something that every rule or every "
                f"parameter group has. Call it otherwise. Received: {kind!r}."
            )


def _giver(value: T) -> Callable[[], T]:
    # A plain default must not be a list or an array; what a factory gives may.
    return lambda: value


def _batching(optimizer: object) -> Batching:
    batching: Batching = getattr(optimizer, "batching", "single")
    if batching not in ("elementwise", "rowwise", "single"):
        raise ArgumentError(
            'batching is "elementwise" (no coordinate looks at another), "rowwise" or "single". '
            f"Received: {batching!r} of {optimizer!r}."
        )
    return batching


def _settings_of(optimizer: object) -> dict[str, Any]:
    """The constructor's arguments by name; empty unless the object keeps each under its own name."""
    if type(optimizer).__init__ is object.__init__:
        return {}
    parameters = inspect.signature(type(optimizer)).parameters
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    if any(one.kind in variable or not hasattr(optimizer, one.name) for one in parameters.values()):
        return {}
    settings = {name: getattr(optimizer, name) for name in parameters}
    return settings if _can_be_made_anew(optimizer, settings) else {}


def _can_be_made_anew(optimizer: object, settings: Mapping[str, Any]) -> bool:
    """Whether the constructor, given what the object keeps, makes an object that keeps the same.

    Other numbers are tried too: `self.decay = 1 - decay` keeps 0.5 as it is.
    """
    others = {name: value * 0.75 if isinstance(value, float) else value for name, value in settings.items()}
    for given in (settings, others):
        try:
            made = type(optimizer)(**given)
        except Exception:
            # The object may not like the other numbers; its own it has to.
            if given is settings:
                return False
            continue
        if not all(hasattr(made, name) and same_value(getattr(made, name), value) for name, value in given.items()):
            return False
    return True


def _registered(name: str, source: Any) -> Registered:
    if isinstance(source, type) and issubclass(source, Rule):
        if inspect.isabstract(source):
            missing = " and ".join(sorted(source.__abstractmethods__))
            raise ArgumentError(f"A rule has {missing}, which {source.__name__} lacks. Received: {source!r}.")
        _refuse_reserved(setting_names(source), source)
        described = {"name": name, "title": name, "paper": OwnRule.paper, "reference": OwnRule.reference}
        for attribute, value in described.items():
            if not hasattr(source, attribute):
                setattr(source, attribute, value)
        return Registered(
            name=name, kind="rule", make=_naming(source, name), source=source, settings=setting_names(source)
        )
    if _is_torch_class(source):
        return Registered(
            name=name, kind="torch class", make=source, source=source, settings=names_of_settings(source, after=1)
        )
    if (isinstance(source, type) and _has_update(source)) or inspect.isfunction(source):
        settings = names_of_settings(source)
        return Registered(name=name, kind="rule", make=_naming(source, name), source=source, settings=settings)
    raise ArgumentError(
        "register_optimizer decorates a class with init and update, a subclass of Rule, a function that returns a rule "
        f"or chain, or a class with zero_grad and step. Received: {source!r}."
    )


def _naming(make: Callable[..., Any], name: str) -> Callable[..., Rule]:
    """`make`, whose rule then carries the registered name."""

    def made(**settings: Any) -> Rule:
        named = copy.copy(as_rule(make(**settings), name=name))
        # A function may return any rule; legends must not show two of that rule's name.
        if inspect.isfunction(make):
            object.__setattr__(named, "title", name)
        object.__setattr__(named, "name", name)
        return named

    return made


def _refuse_if_taken(name: str, source: object) -> None:
    if name in rule_types():
        raise ArgumentError(f"There is a built-in optimizer of this name. Choose another. Received: {name!r}.")
    before = registered(name)
    if before is not None and _identity(before.source) != _identity(source):
        raise ArgumentError(
            f"{name!r} is registered already, for {before.source!r}. Choose another name. Received: {source!r}."
        )


def _identity(source: Any) -> tuple[str, str]:
    return str(getattr(source, "__module__", "")), str(getattr(source, "__qualname__", ""))


def _is_torch_class(source: object) -> bool:
    return isinstance(source, type) and callable(getattr(source, "step", None)) and not issubclass(source, Rule)


def _has_update(source: object) -> bool:
    return all(callable(getattr(source, method, None)) for method in ("init", "update"))


def _called(make: Callable[[], object]) -> object:
    try:
        return make()
    except TypeError as error:
        raise ArgumentError(
            f"{getattr(make, '__name__', make)} cannot be made without arguments: {error}. Pass what it makes instead "
            f"of it. Received: {make!r}."
        ) from error


def _described(value: object) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array of shape {tuple(shape)}"
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else repr(value)
