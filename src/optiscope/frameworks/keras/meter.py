"""Measures the variables of a Keras optimizer inside the compiled step; Python reads the result afterwards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Float
from numpy.typing import NDArray

from optiscope.recording.plan import Plan
from optiscope.recording.reductions import Reduction

GROUPS = (
    (Reduction.GRADIENT_NORM, Reduction.GRADIENT_NONFINITE, Reduction.WEIGHT_NORM),
    (Reduction.UPDATE_NORM, Reduction.UPDATE_DOT_GRADIENT),
    (Reduction.GRADIENT_SUM, Reduction.GRADIENT_SPREAD, Reduction.GRADIENT_ZEROS),
)
"""What is measured together: a group costs nothing at steps where none of it is planned."""
REDUCTIONS = tuple(reduction for group in GROUPS for reduction in group)
_UPDATES = 1
"""The group that needs the weights before the step."""
_HEAD = 2
"""Numbers before the table in the state: the steps measured so far, and the learning rate of the last one."""
_TIMINGS = 3


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the last measured step left behind."""

    steps: int
    """Steps measured since the meter was made."""
    learning_rate: float
    """Learning rate of the last of them, with schedules evaluated."""
    present: tuple[bool, ...]
    """Whether each variable had a gradient."""
    values: dict[Reduction, Float[np.ndarray, " tensors"]]
    """The reductions; NaN where a variable had no gradient, or where the group was not armed."""


class Meter:
    """A few TensorFlow variables, and the graph functions that fill them. Draws no random number.

    Sums are taken in float64: a float32 sum of millions of squares loses digits, and the square of 1e-25 is lost whole.
    """

    def __init__(self, variables: Sequence[Any], wanted: frozenset[Reduction]) -> None:
        """Prepare to measure `variables` (`tf.Variable`); groups that hold nothing of `wanted` are left out."""
        self.variables = tuple(variables)
        self._count = len(self.variables)
        self._groups = tuple(number for number, group in enumerate(GROUPS) if not wanted.isdisjoint(group))
        self._keeps = _UPDATES in self._groups
        kept = self.variables if self._keeps else ()
        self._kept = [tf.Variable(tf.zeros(v.shape, v.dtype), trainable=False) for v in kept]
        self._armed = tf.Variable([True] * len(GROUPS), trainable=False)
        size = _HEAD + self._count * (1 + len(REDUCTIONS))
        self._state = tf.Variable(np.zeros(size), trainable=False, dtype=tf.float64)
        self._is_armed = (True,) * len(GROUPS)
        self._prices: tuple[float, ...] = (0.0,) * len(GROUPS)
        # One node of the graph each, compiled once: also a loop that calls the optimizer eagerly pays little.
        self._keep = tf.function(self._keep_in_graph, autograph=False)
        self._measure = tf.function(self._measure_in_graph, autograph=False)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Number of elements of each variable."""
        return np.array([int(np.prod(variable.shape)) for variable in self.variables], dtype=np.float64)

    def held_bytes(self) -> int:
        """Memory of the lasting copies, in bytes."""
        return sum(int(np.prod(kept.shape)) * kept.dtype.size for kept in self._kept)

    def arm(self, plan: Plan, *, whole: bool) -> None:
        """Say what the coming step measures: the groups that `plan` needs, or with `whole` all of them."""
        armed = tuple(whole or not set(group).isdisjoint(plan.reductions) for group in GROUPS)
        if armed != self._is_armed:
            self._is_armed = armed
            self._armed.assign(armed)

    # ------------------------------------------------------------------------------------------- inside the step

    def keep_weights(self) -> None:
        """Keep the weights as they are before the step, if the update is to be measured."""
        if self._keeps:
            self._keep()

    def measure(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """Measure the step that has just been taken, with the `gradients` that entered it (None where missing)."""
        dense = tuple(None if gradient is None else tf.convert_to_tensor(gradient) for gradient in gradients)
        self._measure(dense, tf.cast(learning_rate, tf.float64))

    def _keep_in_graph(self) -> None:
        def keep() -> Any:
            for kept, variable in zip(self._kept, self.variables, strict=True):
                kept.assign(variable)
            return tf.constant(0)

        tf.cond(self._armed[_UPDATES], keep, lambda: tf.constant(0))

    def _measure_in_graph(self, gradients: tuple[Any, ...], learning_rate: Any) -> None:
        rows = []
        for number, group in enumerate(GROUPS):
            missing = tf.fill((len(group) * self._count,), tf.constant(np.nan, tf.float64))
            if number not in self._groups:
                rows.append(missing)
                continue

            def measure(group: tuple[Reduction, ...] = group) -> Any:
                return tf.stack([self._cell(r, i, g) for r in group for i, g in enumerate(gradients)])

            rows.append(tf.cond(self._armed[number], measure, lambda missing=missing: missing))
        head = tf.stack([self._state[0] + 1.0, learning_rate])
        present = tf.constant([float(gradient is not None) for gradient in gradients], tf.float64)
        self._state.assign(tf.concat([head, present, *rows], axis=0))

    def _cell(self, reduction: Reduction, index: int, gradient: Any) -> Any:
        weights = self.variables[index]
        match reduction:
            case Reduction.WEIGHT_NORM:
                return _norm(weights)
            case Reduction.UPDATE_NORM:
                return _norm(self._update(index))
        if gradient is None:
            return tf.constant(np.nan, tf.float64)
        g = _wide(gradient)
        match reduction:
            case Reduction.GRADIENT_NORM:
                return _norm(gradient)
            case Reduction.GRADIENT_SUM:
                return tf.reduce_sum(g)
            case Reduction.GRADIENT_SPREAD:
                return tf.reduce_sum(tf.square(g - tf.reduce_mean(g)))
            case Reduction.GRADIENT_ZEROS:
                return tf.reduce_sum(tf.cast(tf.equal(gradient, 0), tf.float64))
            case Reduction.GRADIENT_NONFINITE:
                # A finite norm says, without another pass, that every element is finite.
                return tf.cond(
                    tf.math.is_finite(_norm(gradient)),
                    lambda: tf.zeros((), tf.float64),
                    lambda: tf.reduce_sum(tf.cast(~tf.math.is_finite(gradient), tf.float64)),
                )
            case _:
                return tf.reduce_sum(_wide(self._update(index)) * g)

    def _update(self, index: int) -> Any:
        """The step, in float32 at least: rounding its elements once more changes sums of them by less than 1e-7."""
        weights, kept = self.variables[index], self._kept[index]
        if weights.dtype == tf.float64:
            return weights - kept
        return tf.cast(weights, tf.float32) - tf.cast(kept, tf.float32)

    # -------------------------------------------------------------------------------------------- after the step

    def read(self) -> Reading:
        """What the last step left; waits for it."""
        state = self._state.numpy()
        present, table = np.split(state[_HEAD:], [self._count])
        rows = table.reshape(len(REDUCTIONS), self._count)
        return Reading(
            steps=int(state[0]),
            learning_rate=float(state[1]),
            present=tuple(bool(there) for there in present),
            values=dict(zip(REDUCTIONS, rows, strict=True)),
        )

    def hidden_seconds(self) -> float:
        """What measuring costs inside a compiled step as it is armed now, in seconds; it cannot be timed there."""
        return sum(price for price, armed in zip(self._prices, self._is_armed, strict=True) if armed)

    def time_groups(self) -> None:
        """Run each group by itself a few times and remember how long it takes. Leaves the state as it was."""
        state, armed = self._state.read_value(), self._is_armed
        gradients = tuple(tf.zeros(variable.shape, variable.dtype) for variable in self.variables)

        def seconds(only: int | None) -> float:
            self._armed.assign([number == only for number in range(len(GROUPS))])
            taken = []
            for _ in range(_TIMINGS):
                began = time.perf_counter()
                self.keep_weights()
                self.measure(gradients, 0.0)
                self._state.numpy()
                taken.append(time.perf_counter() - began)
            return min(taken)

        idle = seconds(None)
        self._prices = tuple(
            max(0.0, seconds(number) - idle) if number in self._groups else 0.0 for number in range(len(GROUPS))
        )
        self._state.assign(state)
        self._armed.assign(armed)


def _wide(tensor: Any) -> Any:
    return tf.cast(tensor, tf.float64)


def _norm(tensor: Any) -> Any:
    """‖tensor‖₂; one that is float64 from the start is scaled, since its squares can over- and underflow."""
    wide = _wide(tensor)
    if tensor.dtype != tf.float64:
        return tf.sqrt(tf.reduce_sum(tf.square(wide)))
    largest = tf.reduce_max(tf.abs(wide))
    scale = tf.where((largest > 0) & tf.math.is_finite(largest), largest, tf.ones_like(largest))
    return scale * tf.sqrt(tf.reduce_sum(tf.square(wide / scale)))
