"""What an update rule is: written once, run on NumPy for thousands of trajectories and on PyTorch for a network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, final

from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.configured import Configured
from optiscope.optimizers.schedules.schedule import Schedule

Setting: TypeAlias = Any
"""A number; or a `Schedule`, which gives one for each step; or an array with one number for each row of a batch."""
State: TypeAlias = Any
"""What a rule remembers between steps. Rules never change a state, they return a new one."""
TensorState: TypeAlias = Mapping[str, Any]
"""What a rule remembers about one parameter tensor, by name: arrays like the tensor, and the count of steps."""
Batching: TypeAlias = Literal["elementwise", "rowwise", "single"]


def has_moved(state: State) -> bool:
    """Whether a step led to this state. Before the first, many formulas for rates divide by zero."""
    return not (isinstance(state, Mapping) and isinstance(state.get("step"), int) and state["step"] == 0)


def unknown_rate(parameter: Array) -> Array:
    """NaN for each coordinate: the effective rate where no step has been made."""
    return namespace(parameter).zeros_like(parameter) + float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule(Configured):
    """An update rule: from gradients to what is added to the parameters.

    A rule is a frozen dataclass; its fields are its settings. Parameters, gradients and updates are tuples with one
    array per parameter tensor. Most rules treat each tensor by itself: see `TensorRule`.
    """

    paper: ClassVar[str]
    """Where it comes from: authors, title, year."""
    batching: ClassVar[Batching] = "single"
    """How a batch of independent trajectories runs: "elementwise": no coordinate looks at another, so any array works;
    "rowwise": sums within a tensor are taken over the axes after the first `batch_axes`, so a batch works;
    "single": one trajectory at a time."""
    curvature: ClassVar[Literal["none", "diagonal", "full"]] = "none"
    """What `update` wants as `curvature` beside the gradient: nothing, an estimate of the Hessian's diagonal (an array
    like the parameter), or the Hessian matrix over the flattened tensor."""

    @abstractmethod
    def init(self, parameters: Arrays) -> State:
        """The state before the first step."""

    @abstractmethod
    def update(
        self, gradients: Arrays, state: State, parameters: Arrays, *, curvature: Arrays | None = None
    ) -> tuple[Arrays, State]:
        """What is added to each parameter, and the new state.

        Args:
            gradients: of the loss at `probe(state, parameters)`, which is `parameters` for most rules.
            state: from `init` or the update before.
            parameters: before the step.
            curvature: what the class attribute `curvature` asks for.
        """

    def probe(self, state: State, parameters: Arrays) -> Arrays:
        """Where the rule wants the next gradient: at the parameters themselves, unless it looks ahead."""
        del state
        return parameters

    def evaluation_point(self, state: State, parameters: Arrays) -> Arrays:
        """The parameters to judge and to keep: those that are trained, unless the rule averages them."""
        del state
        return parameters

    def effective_rate(self, state: State, parameters: Arrays) -> Arrays:
        """The learning rate of each coordinate in the step that led to `state`: what the (smoothed) gradient is times.

        For Adam α/(√v̂+ε). Rules without one scale for each coordinate return the learning rate.
        """
        del state
        rate = self.settings.get("learning_rate", float("nan"))
        return tuple(namespace(parameter).zeros_like(parameter) + rate for parameter in parameters)

    def internals(self, state: State) -> Mapping[str, Array]:
        """The arrays of the state that describe the first parameter tensor, by name, for drawing.

        "momentum" is drawn as an arrow along −momentum, "velocity" as an arrow along it, "second_moment" as an ellipse.
        """
        del state
        return {}

    @final
    def at(self, step: int) -> Rule:
        """This rule with the number of each schedule among its settings at `step`, the count of completed steps."""
        numbers = {name: value(step) for name, value in self.settings.items() if isinstance(value, Schedule)}
        return self.with_settings(**numbers) if numbers else self


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorRule(Rule):
    """A rule that treats each parameter tensor by itself: `init_tensor` and `update_tensor` see one array."""

    @abstractmethod
    def init_tensor(self, parameter: Array) -> TensorState:
        """The state of one tensor before the first step."""

    @abstractmethod
    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """What is added to one tensor, and its new state."""

    def probe_tensor(self, state: TensorState, parameter: Array) -> Array:
        """Where the rule wants the next gradient of one tensor."""
        del state
        return parameter

    def evaluation_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The value of one tensor to judge and to keep."""
        del state
        return parameter

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The learning rate of each coordinate of one tensor; see `effective_rate`."""
        del state
        return namespace(parameter).zeros_like(parameter) + self.settings.get("learning_rate", float("nan"))

    @final
    def init(self, parameters: Arrays) -> tuple[TensorState, ...]:
        """The states of all tensors before the first step."""
        return tuple(self.init_tensor(parameter) for parameter in parameters)

    @final
    def update(
        self,
        gradients: Arrays,
        state: tuple[TensorState, ...],
        parameters: Arrays,
        *,
        curvature: Arrays | None = None,
    ) -> tuple[Arrays, tuple[TensorState, ...]]:
        """The updates of all tensors, and their new states."""
        curvatures = curvature if curvature is not None else (None,) * len(parameters)
        pairs = [
            self.update_tensor(gradient, one, parameter, curvature=curved)
            for gradient, one, parameter, curved in zip(gradients, state, parameters, curvatures, strict=True)
        ]
        return tuple(update for update, _ in pairs), tuple(one for _, one in pairs)

    @final
    def probe(self, state: tuple[TensorState, ...], parameters: Arrays) -> Arrays:
        """Where the rule wants the next gradients."""
        return tuple(self.probe_tensor(one, parameter) for one, parameter in zip(state, parameters, strict=True))

    @final
    def evaluation_point(self, state: tuple[TensorState, ...], parameters: Arrays) -> Arrays:
        """The parameters to judge and to keep."""
        return tuple(self.evaluation_tensor(one, parameter) for one, parameter in zip(state, parameters, strict=True))

    @final
    def effective_rate(self, state: tuple[TensorState, ...], parameters: Arrays) -> Arrays:
        """The learning rate of each coordinate of each tensor; NaN for one that has made no step."""
        return tuple(
            self.effective_rate_tensor(one, parameter) if has_moved(one) else unknown_rate(parameter)
            for one, parameter in zip(state, parameters, strict=True)
        )

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """What is remembered about the first tensor, without the count of steps."""
        return {name: value for name, value in state[0].items() if name != "step"} if state else {}
