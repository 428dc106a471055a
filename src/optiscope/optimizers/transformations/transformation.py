"""What a transformation is: one link of a `chain`, from directions to directions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, final

from optiscope.optimizers.arrays import Array, Arrays
from optiscope.optimizers.configured import Configured
from optiscope.optimizers.rule import Batching, State, TensorState, has_moved, unknown_rate

Scale: TypeAlias = Any
"""A number, or an array that broadcasts with the tensor."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Transformation(Configured):
    """Takes the direction of each parameter tensor and gives another one.

    The first transformation of a chain gets the gradients; what the last one gives is subtracted from the parameters.
    Most treat each tensor by itself: see `TensorTransformation`.
    """

    batching: ClassVar[Batching] = "elementwise"
    """How a batch of independent trajectories runs; see `Rule.batching`."""
    comes_last: ClassVar[bool] = False
    """Whether it looks at the parameters after the step, so that only others of this kind may follow it."""
    ends_chain: ClassVar[bool] = False
    """Whether nothing at all may follow it: what it sees has to be where the parameters really go."""

    def init(self, parameters: Arrays) -> State:
        """The state before the first step; most need none."""
        del parameters
        return ()

    @abstractmethod
    def update(self, directions: Arrays, state: State, parameters: Arrays) -> tuple[Arrays | None, State]:
        """The new directions, and the new state. None for directions: nothing moves on in this step.

        Args:
            directions: from the transformation before, or the gradients.
            state: from `init` or the update before.
            parameters: before the step.
        """

    def scale(self, state: State, parameters: Arrays) -> tuple[Scale, ...]:
        """What the (smoothed) direction of each coordinate was multiplied by in the step that led to `state`."""
        del state
        return (1.0,) * len(parameters)

    def probe(self, state: State, parameters: Arrays) -> Arrays:
        """Where the next gradient is wanted; see `Rule.probe`."""
        del state
        return parameters

    def evaluation_point(self, state: State, parameters: Arrays) -> Arrays:
        """The parameters to judge and to keep; see `Rule.evaluation_point`."""
        del state
        return parameters

    def internals(self, state: State) -> Mapping[str, Array]:
        """The arrays of the state that describe the first parameter tensor, by name; see `Rule.internals`."""
        del state
        return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorTransformation(Transformation):
    """A transformation that treats each parameter tensor by itself: `update_tensor` sees one array."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """The state of one tensor before the first step."""
        del parameter
        return {}

    @abstractmethod
    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The new direction of one tensor, and its new state."""

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """What each coordinate of one tensor was multiplied by; see `scale`."""
        del state, parameter
        return 1.0

    def evaluation_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The value of one tensor to judge and to keep."""
        del state
        return parameter

    @final
    def init(self, parameters: Arrays) -> tuple[TensorState, ...]:
        """The states of all tensors before the first step."""
        return tuple(self.init_tensor(parameter) for parameter in parameters)

    @final
    def update(
        self, directions: Arrays, state: tuple[TensorState, ...], parameters: Arrays
    ) -> tuple[Arrays, tuple[TensorState, ...]]:
        """The directions of all tensors, and their new states."""
        pairs = [
            self.update_tensor(direction, one, parameter)
            for direction, one, parameter in zip(directions, state, parameters, strict=True)
        ]
        return tuple(direction for direction, _ in pairs), tuple(one for _, one in pairs)

    @final
    def scale(self, state: tuple[TensorState, ...], parameters: Arrays) -> tuple[Scale, ...]:
        """What the direction of each coordinate was multiplied by; NaN for a tensor that has made no step."""
        return tuple(
            self.scale_tensor(one, parameter) if has_moved(one) else unknown_rate(parameter)
            for one, parameter in zip(state, parameters, strict=True)
        )

    @final
    def evaluation_point(self, state: tuple[TensorState, ...], parameters: Arrays) -> Arrays:
        """The parameters to judge and to keep."""
        return tuple(self.evaluation_tensor(one, parameter) for one, parameter in zip(state, parameters, strict=True))

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """What is remembered about the first tensor, without counts of steps."""
        return {name: value for name, value in state[0].items() if hasattr(value, "shape")} if state else {}
