"""The scaling of Adafactor: a size for each row and each column instead of one for each coordinate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import NOT_NEGATIVE, Limit
from optiscope.optimizers.matrices import beside_matrices
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorState
from optiscope.optimizers.transformations.transformation import Scale, TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleByFactoredRms(TensorTransformation):
    """R ← βR + (1−β)·(mean of d² over columns), C likewise over rows; V = R Cᵀ/max(mean R, ε); d ← d/√max(V, ε²).

    β = 1 − t^−decay_exponent, so the first step takes the squares as they are. For tensors with two or more axes the
    last two are factored; for vectors V is a running mean for each coordinate, as in `scale_by_rms`.

    Source: N. Shazeer, M. Stern: Adafactor: Adaptive learning rates with sublinear memory cost, 2018, algorithm 4; the
    place of ε is that of PyTorch.
    """

    name: ClassVar[str] = "scale_by_factored_rms"
    title: ClassVar[str] = "factored RMS"
    reference: ClassVar[str] = "torch.optim.Adafactor"
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"decay_exponent": NOT_NEGATIVE}

    decay_exponent: Setting = 0.8
    """How fast the memory grows with the steps."""
    epsilon: Setting = 1e-8
    """ε, below which no root mean square is believed."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero means."""
        zeros = namespace(parameter).zeros_like(at_least_single(parameter))
        if not self._is_factored(parameter):
            return {"step": 0, "second_moment": zeros}
        return {"step": 0, "row_mean": zeros[..., :, :1], "column_mean": zeros[..., :1, :]}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction over the root of V."""
        step = state["step"] + 1
        new = step**-self.decay_exponent
        d = at_least_single(direction)
        squares = d * d
        after: dict[str, Array] = {"step": step}
        if self._is_factored(direction):
            xp, new = namespace(d), beside_matrices(new)
            after["row_mean"] = (1 - new) * state["row_mean"] + new * xp.mean(squares, axis=-1, keepdims=True)
            after["column_mean"] = (1 - new) * state["column_mean"] + new * xp.mean(squares, axis=-2, keepdims=True)
        else:
            after["second_moment"] = (1 - new) * state["second_moment"] + new * squares
        return in_type_of(self.scale_tensor(after, parameter) * d, direction), after

    def scale_tensor(self, state: TensorState, parameter: Array) -> Scale:
        """1/√max(V, ε²)."""
        xp = namespace(parameter)
        epsilon = self.epsilon
        if self._is_factored(parameter):
            epsilon = beside_matrices(epsilon)
            R = state["row_mean"]
            mean = xp.mean(R, axis=-2, keepdims=True)
            V = R * state["column_mean"] / xp.maximum(mean, xp.zeros_like(mean) + epsilon)
        else:
            V = state["second_moment"]
        return 1 / xp.sqrt(xp.maximum(V, xp.zeros_like(V) + epsilon * epsilon))

    def _is_factored(self, array: Array) -> bool:
        return bool(array.ndim - self.batch_axes >= 2)


def scale_by_factored_rms(decay_exponent: Setting = 0.8, *, epsilon: Setting = 1e-8) -> ScaleByFactoredRms:
    """Divide a matrix by the sizes of its rows and columns; see `ScaleByFactoredRms`."""
    return ScaleByFactoredRms(decay_exponent=decay_exponent, epsilon=epsilon)


TRANSFORMATION = ScaleByFactoredRms
