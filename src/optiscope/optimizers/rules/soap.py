"""SOAP: Adam in the coordinates in which Shampoo's matrices are diagonal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import FRACTION, Limit, at_least
from optiscope.optimizers.matrices import beside_matrices, eigen, gram, identity, multiply_along, orthonormal
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import DECAY, LEARNING_RATE, MOMENTUM, Range
from optiscope.optimizers.settings import EVERY


@dataclass(frozen=True, kw_only=True, eq=False)
class SOAP(TensorRule):
    """G′ = QₗᵀGQᵣ; M ← β₁M + (1−β₁)G; V ← β₂V + (1−β₂)G′²; W ← W − α Qₗ (M̂′/(√V̂ + ε)) Qᵣᵀ.

    Qₗ and Qᵣ are the eigenvectors of the running means of GGᵀ and GᵀG, brought up to date by one step of the power
    method every few steps. The first gradient only finds them: the first step moves nothing.
    `Shampoo` takes roots of the sums of GGᵀ instead; `Adam` is the case Q = I.

    Where gradients do not yet span an axis, the eigenvectors of the eigenvalue zero are open. The reference leaves them
    to rounding; here they are as near as possible to the coordinates at first, and to those of before later.
    """

    name: ClassVar[str] = "soap"
    title: ClassVar[str] = "SOAP"
    paper: ClassVar[str] = (
        "N. Vyas et al.: SOAP: Improving and stabilizing Shampoo using Adam, 2024, algorithms 3 and 4"
    )
    reference: ClassVar[str] = "pytorch_optimizer.SOAP"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "beta1": MOMENTUM, "beta2": DECAY}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "matrix_decay": FRACTION.or_none(),
        "every": EVERY,
        "largest_dimension": at_least(1),
    }

    learning_rate: Setting = 3e-3
    """α."""
    beta1: Setting = 0.95
    """Decay of the momentum M."""
    beta2: Setting = 0.95
    """Decay of the second moment V."""
    matrix_decay: Setting | None = None
    """Decay of the running means of GGᵀ and GᵀG. None: β₂."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: after the step W shrinks by the factor 1 − αλ."""
    every: int = 10
    """Steps between one computation of the eigenvectors and the next."""
    vectors: bool = True
    """Whether a vector has a matrix too. The published code leaves vectors to Adam (but for the lost first step)."""
    largest_dimension: int = 10000
    """An axis that is longer has no matrix."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments, zero matrices, no rotation."""
        theta = at_least_single(parameter)
        zeros_like = namespace(theta).zeros_like
        bases = {axis: identity(theta, axis, batch_axes=self.batch_axes) for axis in self._matrix_axes(theta)}
        return {
            "step": 0,
            "momentum": zeros_like(theta),
            "rotated_second_moment": zeros_like(theta),
            "matrices": {axis: zeros_like(one) for axis, one in bases.items()},
            "bases": bases,
            "rotated_rates": zeros_like(theta),
            "bases_of_rates": bases,
        }

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of SOAP."""
        del curvature
        xp = namespace(parameter)
        g, theta = at_least_single(gradient), at_least_single(parameter)
        matrices = self._matrices(g, state)
        if state["step"] == 0:
            bases = {axis: self._first_basis(matrix, state["bases"][axis]) for axis, matrix in matrices.items()}
            return xp.zeros_like(parameter), {**state, "step": 1, "matrices": matrices, "bases": bases}
        # Without the first step, which moved nothing.
        step = state["step"]
        bases = state["bases"]
        m = self.beta1 * state["momentum"] + (1 - self.beta1) * g
        v = self.beta2 * state["rotated_second_moment"] + (1 - self.beta2) * self._rotate(g, bases) ** 2
        scale = self.learning_rate * (1 - self.beta2**step) ** 0.5 / (1 - self.beta1**step)
        rates = scale / (xp.sqrt(v) + self.epsilon)
        move = self._rotate(rates * self._rotate(m, bases), bases, back=True)
        decay = self.learning_rate * self.weight_decay
        update = -move - decay * (theta - move)
        turned = bases
        if step % self.every == 0:
            turned, v = self._turn(matrices, bases, v)
        after: dict[str, Any] = {
            "step": step + 1,
            "momentum": m,
            "rotated_second_moment": v,
            "matrices": matrices,
            "bases": turned,
            "rotated_rates": (1 - self.beta1**step) * rates,
            "bases_of_rates": bases,
        }
        return in_type_of(update, parameter), after

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The diagonal of what multiplies the flattened m̂: of α Q diag(1/(√V̂ + ε)) Qᵀ."""
        squares = {axis: basis * basis for axis, basis in state["bases_of_rates"].items()}
        return in_type_of(self._rotate(state["rotated_rates"], squares, back=True), parameter)

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """What has the tensor's shape; the second moment is along the eigenvectors, not along the coordinates."""
        return {name: state[0][name] for name in ("momentum", "rotated_second_moment")} if state else {}

    def _matrix_axes(self, parameter: Array) -> tuple[int, ...]:
        axes = self.tensor_axes(parameter)
        if len(axes) < 2 and not self.vectors:
            return ()
        return tuple(axis for axis in axes if parameter.shape[axis] <= self.largest_dimension)

    def _matrices(self, g: Array, state: TensorState) -> dict[int, Array]:
        """The running means of GGᵀ along each axis."""
        decay = beside_matrices(self.beta2 if self.matrix_decay is None else self.matrix_decay)
        return {
            axis: decay * matrix + (1 - decay) * gram(g, axis, batch_axes=self.batch_axes)
            for axis, matrix in state["matrices"].items()
        }

    def _rotate(self, tensor: Array, bases: Mapping[int, Array], *, back: bool = False) -> Array:
        """Into the coordinates along the eigenvectors, or back."""
        for axis, basis in bases.items():
            matrix = namespace(basis).matrix_transpose(basis) if back else basis
            tensor = multiply_along(tensor, matrix, axis, batch_axes=self.batch_axes)
        return tensor

    @staticmethod
    def _first_basis(matrix: Array, identity: Array) -> Array:
        """The eigenvectors, that of the largest eigenvalue first."""
        values, vectors = eigen(matrix)
        return orthonormal(namespace(matrix).flip(vectors * values[..., None, :], axis=-1), identity)

    def _turn(
        self, matrices: Mapping[int, Array], bases: Mapping[int, Array], second_moment: Array
    ) -> tuple[dict[int, Array], Array]:
        """One step of the power method for each basis, sorted by eigenvalue; the second moment sorted with it."""
        turned: dict[int, Array] = {}
        for axis, matrix in matrices.items():
            xp = namespace(matrix)
            product = xp.matmul(matrix, bases[axis])
            values = xp.sum(bases[axis] * product, axis=-2)
            order = xp.argsort(-values, axis=-1)
            places = xp.arange(order.shape[-1], device=order.device)
            # Column j of this permutation matrix picks what comes at place j.
            permutation = xp.asarray(order[..., None, :] == places[:, None], dtype=matrix.dtype)
            turned[axis] = orthonormal(xp.matmul(product, permutation), xp.matmul(bases[axis], permutation))
            second_moment = multiply_along(second_moment, permutation, axis, batch_axes=self.batch_axes)
        return turned, second_moment


RULE = SOAP
