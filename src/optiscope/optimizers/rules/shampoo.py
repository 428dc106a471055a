"""Shampoo: AdaGrad with a matrix along each axis of a tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import Limit, at_least
from optiscope.optimizers.matrices import beside_matrices, eigen, gram, identity, multiply_along
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.settings import EVERY


@dataclass(frozen=True, kw_only=True, eq=False)
class Shampoo(TensorRule):
    """L ← L + GGᵀ; R ← R + GᵀG; M ← μM + (1−μ)G; W ← W − α L^(−1/4) M R^(−1/4), from L = R = εI.

    A tensor with k axes has one matrix along each, to the power −1/(2k). A vector has one matrix to the power −1/2:
    AdaGrad with a full matrix, which no rotation of the coordinates changes. `SOAP` runs Adam in the eigenvectors of
    such matrices; `Adagrad` keeps their diagonal alone.
    """

    name: ClassVar[str] = "shampoo"
    title: ClassVar[str] = "Shampoo"
    paper: ClassVar[str] = (
        "V. Gupta, T. Koren, Y. Singer: Shampoo: Preconditioned stochastic tensor optimization, 2018, algorithm 2"
    )
    reference: ClassVar[str] = "pytorch_optimizer.Shampoo"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"every": EVERY, "largest_dimension": at_least(1)}

    learning_rate: Setting = 1e-3
    """α."""
    momentum: Setting = 0.0
    """μ. The matrices see the gradient itself; the library mixes the step of before into it, which is not done here."""
    epsilon: Setting = 1e-6
    """ε, the first eigenvalues of the matrices. 0 only for gradients that soon span the whole space."""
    weight_decay: Setting = 0.0
    """λ of an ℓ2 penalty: λW is added to the gradient."""
    every: int = 1
    """Steps between one computation of the roots of the matrices, the dear part, and the next."""
    largest_dimension: int = 8192
    """An axis that is longer has no matrix."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero momentum, and identities for the first step to bring to ε, which may follow a schedule."""
        theta = at_least_single(parameter)
        ones = {axis: identity(theta, axis, batch_axes=self.batch_axes) for axis in self._matrix_axes(theta)}
        return {"step": 0, "momentum": namespace(theta).zeros_like(theta), "matrices": ones, "roots": ones}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Shampoo."""
        del curvature
        g = at_least_single(gradient) + self.weight_decay * at_least_single(parameter)
        momentum = self.momentum * state["momentum"] + (1 - self.momentum) * g
        start = beside_matrices(self.epsilon) if state["step"] == 0 else 1
        matrices = {
            axis: start * matrix + gram(g, axis, batch_axes=self.batch_axes)
            for axis, matrix in state["matrices"].items()
        }
        due = state["step"] % self.every == 0
        roots = {axis: self._root(one, len(matrices)) for axis, one in matrices.items()} if due else state["roots"]
        direction = momentum
        for axis, root in roots.items():
            direction = multiply_along(direction, root, axis, batch_axes=self.batch_axes)
        after: dict[str, Any] = {"step": state["step"] + 1, "momentum": momentum, "matrices": matrices, "roots": roots}
        return in_type_of(-self.learning_rate * direction, parameter), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The diagonal of what multiplies the flattened gradient: α times the product of the roots' diagonals."""
        xp = namespace(parameter)
        rate = xp.zeros_like(at_least_single(parameter)) + self.learning_rate
        for axis, root in state["roots"].items():
            eye = identity(rate, axis, batch_axes=self.batch_axes)
            diagonal = xp.sum(root * eye, axis=-1)
            others = [1] * (rate.ndim - self.batch_axes)
            others[axis - self.batch_axes] = rate.shape[axis]
            rate = rate * diagonal.reshape((*rate.shape[: self.batch_axes], *others))
        return in_type_of(rate, parameter)

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """The momentum; the matrices have not the tensor's shape."""
        return {"momentum": state[0]["momentum"]} if state else {}

    def _matrix_axes(self, parameter: Array) -> tuple[int, ...]:
        return tuple(axis for axis in self.tensor_axes(parameter) if parameter.shape[axis] <= self.largest_dimension)

    def _root(self, matrix: Array, axes: int) -> Array:
        """The matrix to the power −1/(2 · axes)."""
        xp = namespace(matrix)
        values, vectors = eigen(matrix)
        # No eigenvalue can have shrunk; below ε there is nothing but rounding.
        values = xp.where(values < self.epsilon, values * 0 + self.epsilon, values)
        scaled = vectors * (values ** (-0.5 / axes))[..., None, :]
        return xp.matmul(scaled, xp.matrix_transpose(vectors))


RULE = Shampoo
