"""Optimizers of PyTorch and of the package `pytorch_optimizer`, by name, stepped on a problem that NumPy evaluates."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from optiscope.call_syntax import Call, parse_call
from optiscope.errors import ArgumentError, MissingDependency, UnknownName
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.problems.functions.function import Function

Factory = Callable[[list[nn.Parameter]], Any]
"""Makes an optimizer for a list of parameters: a class of `torch.optim`, or any with `step`, which changes them."""

_PACKAGES = {"torch": "torch.optim", "pytorch_optimizer": "pytorch_optimizer"}
"""The first part of a name, and the module in which the second part is found."""
_SPELLINGS = {"learning_rate": "lr", "epsilon": "eps"}
"""Our names of settings, where PyTorch has others. `beta1` and `beta2` become the elements of `betas`."""
_SEARCH: Mapping[str, Range] = {
    "learning_rate": LEARNING_RATE,
    "momentum": MOMENTUM,
    "alpha": DECAY,
    "rho": DECAY,
    "beta1": MOMENTUM,
    "beta2": DECAY,
}
"""Where tuning looks for the settings that are called so in PyTorch, `learning_rate` and the betas in our spelling."""
_INTERNALS = {
    "exp_avg": "momentum",
    "momentum_buffer": "momentum",
    "exp_avg_sq": "second_moment",
    "square_avg": "second_moment",
}
"""Names of state in PyTorch, and the names under which pictures draw it."""
_WANT_CURVATURE = frozenset({"AdaHessian", "SophiaH"})
"""Classes that differentiate the gradient once more."""


@dataclass(frozen=True)
class _Form:
    """How the parameters are presented to a class."""

    is_matrix: bool = False
    group: Mapping[str, Any] = field(default_factory=dict)


_FORMS = (_Form(), _Form(is_matrix=True), _Form(is_matrix=True, group={"use_muon": True}))
"""A vector; for classes that take nothing but matrices a matrix of one row; for some these in a marked group."""


@dataclass(frozen=True, kw_only=True)
class ForeignOptimizer:
    """A class of another package with settings for it; called with parameters, it makes the optimizer."""

    name: str
    """Its name, such as "torch.Adam"."""
    kind: type[torch.optim.Optimizer]
    """The class."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings that were given, as they were spelled."""

    def __call__(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimizer."""
        return self.kind(parameters, **self._arguments())

    def with_settings(self, **settings: Any) -> ForeignOptimizer:
        """A copy with other settings. Raises `UnknownName` for one that the class does not have.

        A schedule is an `ArgumentError`.
        """
        for name, value in settings.items():
            if name not in self._valid():
                raise UnknownName.among(name, self._valid(), kind=f"setting of {self.name}")
            if isinstance(value, Call | Schedule | ReactiveSchedule):
                raise ArgumentError(
                    f"{name} of {self.name} is a number: PyTorch's optimizers follow no schedule by themselves. Take "
                    "one of PyTorch's schedulers in a loop of your own, or a rule of ours such as adam, whose settings "
                    f"may be schedules. Received: {value}."
                )
        return replace(self, settings={**self.settings, **settings})

    @property
    def defaults(self) -> dict[str, Any]:
        """Every setting with the value that it has when it is not given, under the names that the class has."""
        signature = inspect.signature(self.kind)
        return {
            name: one.default for name, one in list(signature.parameters.items())[1:] if one.kind != one.VAR_KEYWORD
        }

    @property
    def search(self) -> dict[str, Range]:
        """The main settings, with the range in which tuning looks for each."""
        valid = self._valid()
        return {name: where for name, where in _SEARCH.items() if name in valid}

    def _valid(self) -> list[str]:
        """Names of settings, in the spelling of the class and in ours."""
        own = self.defaults
        ours = [name for name, theirs in _SPELLINGS.items() if theirs in own and name not in own]
        betas = own.get("betas")
        return [*own, *ours, *(f"beta{number + 1}" for number in range(len(betas or ())))]

    def _arguments(self) -> dict[str, Any]:
        """The settings in the spelling of the class."""
        own = self.defaults
        arguments: dict[str, Any] = {}
        for name, value in self.settings.items():
            if name in own:
                arguments[name] = value
            elif name in _SPELLINGS:
                arguments[_SPELLINGS[name]] = value
            else:
                betas = list(arguments.get("betas", own["betas"]))
                betas[int(name.removeprefix("beta")) - 1] = value
                arguments["betas"] = tuple(betas)
        return arguments


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignRecord:
    """What was kept of a run. Row k is the state after k steps; rows after the end of a path that diverged are NaN."""

    points: Float[np.ndarray, "time parameters"]
    """Points to judge: the parameters; for optimizers with `train` and `eval`, the parameters in `eval`."""
    effective_rates: Float[np.ndarray, "time parameters"]
    """|Δθ/g| of each coordinate in the step that led to each row; NaN in the first row and where g is 0."""
    internals: dict[str, Float[np.ndarray, "time parameters"]]
    """The state that is shaped like the parameter; "momentum" and "second_moment" under these names, the rest under the
    optimizer's own. NaN until the optimizer has it."""
    evaluations: int
    """How often the gradient was evaluated; L-BFGS takes several for each step."""


def torch_optimizer_names(*, packages: bool = False) -> tuple[str, ...]:
    """Every name that `foreign_factory` takes: "torch.Adam" … .

    Args:
        packages: whether to import `pytorch_optimizer`, if it is installed, and list "pytorch_optimizer.Lion" … too.
    """
    names = [f"torch.{name}" for name in _classes("torch")]
    if packages and importlib.util.find_spec("pytorch_optimizer") is not None:
        names += [f"pytorch_optimizer.{name}" for name in _classes("pytorch_optimizer")]
    return tuple(names)


def foreign_factory(name: str) -> ForeignOptimizer:
    """The optimizer class of that name, with settings: "torch.Adam", "pytorch_optimizer.Lion(lr=0.01)".

    Settings are those of the class; `learning_rate`, `epsilon`, `beta1`, `beta2` are understood too.
    Raises `UnknownName` for an unknown name or setting, `ArgumentError` for a value that the class refuses, and
    `MissingDependency` when the package is not installed.
    """
    call = parse_call(name)
    package, _, kind = call.name.rpartition(".")
    if package not in _PACKAGES:
        raise UnknownName.among(package or call.name, _PACKAGES, kind="package with PyTorch optimizers")
    classes = _classes(package)
    if kind not in classes:
        choices = (f"{package}.{one}" for one in classes)
        raise UnknownName.among(call.name, choices, kind="PyTorch optimizer")
    factory = ForeignOptimizer(name=call.name, kind=classes[kind]).with_settings(**call.settings)
    first: Exception | None = None
    for form in _FORMS:
        try:
            _make(factory, form, np.ones(2))
            return factory
        except Exception as error:
            first = first or error
    raise ArgumentError(
        f"{call.name} could not be made for a vector of parameters: {first} Received: {name!r}."
    ) from first


def run_foreign(
    problem: Function,
    factory: Factory,
    start: Float[np.ndarray, " parameters"],
    *,
    steps: int,
    seed: int = 0,
    bound: float = np.inf,
) -> ForeignRecord:
    """Let a PyTorch optimizer minimise `problem` in float64, and keep everything.

    The parameter is one vector, or a matrix of one row for classes that take nothing but matrices. `step` gets a
    closure; every gradient that is asked for within one step meets the same noise. PyTorch's own random numbers are
    seeded with `seed` inside and are left as they were.

    Args:
        problem: what to minimise.
        factory: makes the optimizer; see `foreign_factory`.
        start: where to begin.
        steps: number of steps.
        seed: of the problem's noise, and of the optimizer if it draws random numbers.
        bound: the run ends after the first step with a coordinate beyond this in magnitude, or not finite.

    Raises `ArgumentError` when the optimizer cannot be made or cannot step on such a problem.
    """
    first: Exception | None = None
    for form in _FORMS:
        with torch.random.fork_rng(devices=[]), np.errstate(all="ignore"), torch.enable_grad():
            # `torch.manual_seed` would also seed accelerators, whose state is not put back here.
            torch.default_generator.manual_seed(seed)
            try:
                return _Run(problem, factory, form, start, seed=seed).record(steps, bound)
            except Exception as error:
                if isinstance(error, _ProblemFailed):
                    raise error.__cause__ or error from None
                first = first or error
    name = _name_of(factory)
    raise ArgumentError(
        f"{name} cannot minimise {problem.name}, whose parameters are one vector: {first} "
        f"Choose another optimizer. Received: {name!r}."
    ) from first


class _ProblemFailed(Exception):
    """The problem raised: no other form of the parameter would help."""


class _Run:
    """One optimizer at work on one problem."""

    def __init__(
        self,
        problem: Function,
        factory: Factory,
        form: _Form,
        start: Float[np.ndarray, " parameters"],
        *,
        seed: int,
    ) -> None:
        self._problem = problem
        self._seeds = np.array(seed)
        self._parameter, self._optimizer = _make(factory, form, start)
        kind = type(self._optimizer)
        self._is_sparse = isinstance(self._optimizer, torch.optim.SparseAdam)
        self._wants_curvature = kind.__name__ in _WANT_CURVATURE
        # A class of a user's own may have a `step` without arguments, and keep its state where it likes.
        self._takes_closure = len(inspect.signature(self._optimizer.step).parameters) > 0
        self._averages = all(callable(getattr(kind, mode, None)) for mode in ("train", "eval"))
        self._step = 0
        self._evaluations = 0
        self._key = (-1, b"")
        self._value = math.nan
        self._gradient = np.empty(0)

    def record(self, steps: int, bound: float) -> ForeignRecord:
        """Take the steps."""
        if self._averages:
            self._optimizer.train()
        shape = (steps + 1, self._parameter.numel())
        points, rates = np.full(shape, np.nan), np.full(shape, np.nan)
        internals: dict[str, Float[np.ndarray, "time parameters"]] = {}
        points[0] = self._here()
        for step in range(steps):
            self._step = step
            before = self._here()
            self._closure()
            gradient = self._gradient
            if not self._take():
                break
            change = np.abs(self._here() - before)
            rates[step + 1] = np.where(gradient == 0, np.nan, change / np.abs(gradient))
            points[step + 1] = self._judged()
            for name, value in self._state().items():
                internals.setdefault(name, np.full(shape, np.nan))[step + 1] = value
            if not np.all(np.abs(points[step + 1]) <= bound) or not np.all(np.isfinite(points[step + 1])):
                break
        return ForeignRecord(points=points, effective_rates=rates, internals=internals, evaluations=self._evaluations)

    def _take(self) -> bool:
        """Take one step; False when the optimizer refuses a gradient that is not finite."""
        try:
            if self._takes_closure:
                self._optimizer.step(self._closure)
            else:
                self._optimizer.step()
        except Exception:
            if np.all(np.isfinite(self._gradient)):
                raise
            return False
        return True

    def _closure(self) -> Tensor:
        """Evaluate value and gradient at the present parameters."""
        x = self._here()
        key = (self._step, x.tobytes())
        # Most optimizers ask for the gradient at the place where `record` has just taken it.
        if key != self._key:
            self._key = key
            try:
                self._value = float(self._problem.value(x))
                gradient = self._problem.stochastic_gradient(x, step=self._step, seeds=self._seeds)
            except Exception as error:
                raise _ProblemFailed from error
            self._gradient = np.array(gradient, dtype=np.float64)
            self._evaluations += 1
        tensor = torch.from_numpy(self._gradient.copy())
        if self._wants_curvature:
            # A gradient of which autograd can take the derivative: the Hessian.
            hessian = torch.from_numpy(np.array(self._problem.hessian(x), dtype=np.float64))
            tensor = tensor + hessian @ (self._parameter - self._parameter.detach()).reshape(-1)
        tensor = tensor.reshape(self._parameter.shape)
        self._parameter.grad = tensor.to_sparse() if self._is_sparse else tensor
        return torch.tensor(self._value, dtype=torch.float64)

    def _here(self) -> Float[np.ndarray, " parameters"]:
        return _flat(self._parameter)

    def _judged(self) -> Float[np.ndarray, " parameters"]:
        """The parameters; their average for optimizers that judge by it."""
        if not self._averages:
            return self._here()
        kept = self._parameter.detach().clone()
        self._optimizer.eval()
        judged = self._here()
        self._optimizer.train()
        # There and back again is not quite the identity in floating point.
        with torch.no_grad():
            self._parameter.copy_(kept)
        return judged

    def _state(self) -> dict[str, Float[np.ndarray, " parameters"]]:
        """What the optimizer remembers for each coordinate."""
        found: dict[str, Float[np.ndarray, " parameters"]] = {}
        state = getattr(self._optimizer, "state", None)
        own = state.get(self._parameter, {}) if isinstance(state, Mapping) else {}
        for name, value in own.items():
            if isinstance(value, Tensor) and value.shape == self._parameter.shape and value.is_floating_point():
                shown = _INTERNALS.get(name, name)
                found[name if shown in found else shown] = _flat(value)
        return found


def _flat(tensor: Tensor) -> Float[np.ndarray, " parameters"]:
    """A copy as a vector of float64."""
    return np.array(tensor.detach().to(torch.float64).numpy()).ravel()


def _make(factory: Factory, form: _Form, start: Float[np.ndarray, " parameters"]) -> tuple[nn.Parameter, Any]:
    """The parameter at `start`, and its optimizer."""
    vector = torch.from_numpy(np.array(start, dtype=np.float64))
    parameter = nn.Parameter(vector.reshape(1, -1) if form.is_matrix else vector)
    parameters: list[Any] = [{"params": [parameter], **form.group}] if form.group else [parameter]
    return parameter, factory(parameters)


def _name_of(factory: Factory) -> str:
    return str(getattr(factory, "name", None) or getattr(factory, "__name__", None) or "the optimizer")


@lru_cache(maxsize=len(_PACKAGES))
def _classes(package: str) -> dict[str, type[torch.optim.Optimizer]]:
    """The optimizers of a package that need nothing but parameters, by name in alphabetical order."""
    try:
        module = importlib.import_module(_PACKAGES[package])
    except ImportError as error:
        raise MissingDependency(
            f"Optimizers named {package}.… need the package {package!r}, which is not installed. "
            f"Install it with: pip install {package}"
        ) from error
    return {name: kind for name, kind in sorted(vars(module).items()) if _needs_parameters_alone(kind)}


def _needs_parameters_alone(kind: object) -> bool:
    if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)) or inspect.isabstract(kind):
        return False
    parameters = list(inspect.signature(kind).parameters.values())
    needed = [one.name for one in parameters if one.default is one.empty and one.kind == one.POSITIONAL_OR_KEYWORD]
    return needed == ["params"] and parameters[0].name == "params"
