"""Adafactor: a second moment of a matrix from the sums of its rows and columns, and a step relative to the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import NOT_NEGATIVE, POSITIVE, Limit
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, Range, Uniform


@dataclass(frozen=True, kw_only=True, eq=False)
class Adafactor(TensorRule):
    """v ← (1−t⁻ᵏ)v + t⁻ᵏg²; u = g/√v; θ ← θ − αₜ u / max(1, rms(u)/d), with αₜ = max(ε₂, rms(θ)) · min(α, 1/√t).

    Of a tensor with two axes or more, v along the last two is not kept but estimated as R Cᵀ / mean(R), from the
    running means R of the rows of g² and C of its columns. A vector keeps v whole, as in `Adam`; but there is no
    momentum, the step is a share of the size of θ, and its own rms is clipped at d.
    """

    name: ClassVar[str] = "adafactor"
    title: ClassVar[str] = "Adafactor"
    paper: ClassVar[str] = (
        "N. Shazeer, M. Stern: Adafactor: Adaptive learning rates with sublinear memory cost, 2018, algorithms 4 and 5"
    )
    reference: ClassVar[str] = "torch.optim.Adafactor"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "decay_exponent": Uniform(0.3, 1.0)}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "decay_exponent": NOT_NEGATIVE,
        "clip_threshold": POSITIVE,
        "epsilon": NOT_NEGATIVE.or_none(),
        "smallest_scale": NOT_NEGATIVE,
    }

    learning_rate: Setting = 1e-2
    """α, the upper limit of the step relative to rms(θ)."""
    decay_exponent: Setting = 0.8
    """k: in step t the second moment forgets a share of t⁻ᵏ, all in the first and ever less later."""
    clip_threshold: Setting = 1.0
    """d: the rms of the update before the learning rate is at most this."""
    epsilon: float | None = None
    """ε₁, a lower bound of √v. None: the spacing of floating-point numbers at 1 in the dtype of the parameter."""
    smallest_scale: Setting = 1e-3
    """ε₂, a lower bound of rms(θ), so that parameters can leave zero."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: θ shrinks by the factor 1 − αλ."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        xp = namespace(parameter)
        zeros = xp.zeros_like(at_least_single(parameter))
        if self._is_factored(parameter):
            return {
                "step": 0,
                "row_moment": xp.mean(zeros, axis=-1, keepdims=True),
                "column_moment": xp.mean(zeros, axis=-2, keepdims=True),
                "step_size": self._mean(zeros),
            }
        return {"step": 0, "second_moment": zeros, "step_size": self._mean(zeros)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Adafactor."""
        del curvature
        xp = namespace(parameter)
        g, theta = at_least_single(gradient), at_least_single(parameter)
        step = state["step"] + 1
        new = step**-self.decay_exponent
        squares = g * g
        after = {**state, "step": step}
        if self._is_factored(parameter):
            for name, axis in (("row_moment", -1), ("column_moment", -2)):
                mean = xp.mean(squares, axis=axis, keepdims=True)
                after[name] = state[name] + new * (mean - state[name])
        else:
            after["second_moment"] = state["second_moment"] + new * (squares - state["second_moment"])
        u = self._inverse_root(after, parameter) * g
        size = _at_least(xp.sqrt(self._mean(theta * theta)), self.smallest_scale)
        limit = _at_least(xp.sqrt(self._mean(u * u)) / self.clip_threshold, 1.0)
        # An array even when the learning rate is a number: it may be one for each row.
        rate = -_at_least(xp.zeros_like(size) - self.learning_rate, -(step**-0.5))
        after["step_size"] = size * rate / limit
        update = -after["step_size"] * u - self.learning_rate * self.weight_decay * theta
        return in_type_of(update, parameter), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """αₜ / max(1, rms(u)/d) / √v."""
        return in_type_of(state["step_size"] * self._inverse_root(state, parameter), parameter)

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """The second moment of a vector; of a matrix, nothing that has its shape."""
        return {name: state[0][name] for name in ("second_moment",) if name in state[0]}

    def _is_factored(self, parameter: Array) -> bool:
        return bool(parameter.ndim - self.batch_axes >= 2)

    def _mean(self, array: Array) -> Array:
        """The mean over the tensor."""
        return namespace(array).mean(array, axis=self.tensor_axes(array), keepdims=True)

    def _inverse_root(self, state: TensorState, parameter: Array) -> Array:
        """1/√v, with v put together from rows and columns where it is factored."""
        xp = namespace(parameter)
        smallest = float(xp.finfo(parameter.dtype).eps) if self.epsilon is None else self.epsilon
        if self._is_factored(parameter):
            rows = state["row_moment"]
            v = rows * state["column_moment"] / _at_least(xp.mean(rows, axis=-2, keepdims=True), smallest)
        else:
            v = state["second_moment"]
        return 1 / xp.sqrt(_at_least(v, smallest**2))


def _at_least(array: Array, bound: Setting) -> Array:
    """The array where it exceeds the bound, else the bound; NaN stays NaN."""
    return namespace(array).where(array < bound, bound, array)


RULE = Adafactor
