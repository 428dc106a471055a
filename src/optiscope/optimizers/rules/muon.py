"""Muon: momentum with all its singular values brought near one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import Limit, at_least
from optiscope.optimizers.matrices import beside_matrices
from optiscope.optimizers.precision import at_least_single, in_type_of
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LEARNING_RATE, MOMENTUM, Range

_SCALINGS = ("original", "match_rms_adamw", "none")


@dataclass(frozen=True, kw_only=True, eq=False)
class Muon(TensorRule):
    """M ← μM + (1−μ)G; N = μM + (1−μ)G (Nesterov) or M; W ← W − α s O, with O ≈ UVᵀ where N = UΣVᵀ.

    O comes from Newton–Schulz steps X ← aX + b(XXᵀ)X + c(XXᵀ)²X on X = N/‖N‖, which bring the singular values to about
    0.7 … 1.2 rather than to 1. The scale s depends on the shape of W alone.

    The method is meant for matrices. A vector counts as a matrix of one row: its only singular value is its length, so
    the step is the momentum brought to the same length at every step (a constant near 1 times α): normalised momentum,
    which needs a falling learning rate to come to rest. A tensor with more axes counts as the matrix of its first axis
    against all others, as usual for convolutions. `Shampoo` without memory has the same direction, UVᵀ.
    """

    name: ClassVar[str] = "muon"
    title: ClassVar[str] = "Muon"
    paper: ClassVar[str] = "K. Jordan et al.: Muon: An optimizer for hidden layers in neural networks, 2024"
    reference: ClassVar[str] = "torch.optim.Muon"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LEARNING_RATE, "momentum": MOMENTUM}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {"newton_schulz_steps": at_least(1)}

    learning_rate: Setting = 1e-3
    """α."""
    momentum: Setting = 0.95
    """μ."""
    nesterov: bool = True
    """Whether the gradient is mixed in once more after the momentum has taken it up."""
    newton_schulz_steps: int = 5
    """Number of Newton–Schulz steps."""
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315)
    """a, b, c of a Newton–Schulz step."""
    scaling: str = "original"
    """s: √max(1, rows/columns) with "original", 0.2 √max(rows, columns) with "match_rms_adamw", 1 with "none"."""
    epsilon: Setting = 1e-7
    """Lower bound of ‖N‖ in the division by it."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: W shrinks by the factor 1 − αλ. PyTorch's default is 0.1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scaling not in _SCALINGS:
            raise UnknownName.among(self.scaling, _SCALINGS, kind="scaling of muon")
        if len(self.coefficients) != 3:
            raise ArgumentError(f"coefficients of muon are three numbers. Received: {self.coefficients!r}.")

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero momentum."""
        zeros = namespace(parameter).zeros_like(at_least_single(parameter))
        return {"step": 0, "momentum": zeros, "gain": self._squares(zeros)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of Muon."""
        del curvature
        xp = namespace(parameter)
        g, theta = at_least_single(gradient), at_least_single(parameter)
        m = self.momentum * state["momentum"] + (1 - self.momentum) * g
        direction = self.momentum * m + (1 - self.momentum) * g if self.nesterov else m
        rows, columns = self._matrix_shape(theta)
        matrix = direction.reshape((*theta.shape[: self.batch_axes], rows, columns))
        orthogonal = self._orthogonalise(matrix).reshape(theta.shape)
        scaled = self._scale(rows, columns) * orthogonal
        length = xp.sqrt(self._squares(direction))
        gain = xp.sqrt(self._squares(scaled)) / xp.where(length == 0, xp.zeros_like(length) + 1, length)
        update = -self.learning_rate * scaled - self.learning_rate * self.weight_decay * theta
        return in_type_of(update, parameter), {"step": state["step"] + 1, "momentum": m, "gain": gain}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The length of the step by the length of what was orthogonalised: one number for the tensor."""
        rate = self.learning_rate * state["gain"] + namespace(parameter).zeros_like(state["momentum"])
        return in_type_of(rate, parameter)

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """The momentum."""
        return {"momentum": state[0]["momentum"]} if state else {}

    def _squares(self, array: Array) -> Array:
        """The sum of squares of the tensor."""
        return namespace(array).sum(array * array, axis=self.tensor_axes(array), keepdims=True)

    def _matrix_shape(self, parameter: Array) -> tuple[int, int]:
        """Rows and columns of the matrix that the tensor counts as."""
        shape = parameter.shape[self.batch_axes :]
        return (1, math.prod(shape)) if len(shape) < 2 else (shape[0], math.prod(shape[1:]))

    def _scale(self, rows: int, columns: int) -> float:
        match self.scaling:
            case "original":
                return math.sqrt(max(1.0, rows / columns))
            case "match_rms_adamw":
                return 0.2 * math.sqrt(max(rows, columns))
            case _:
                return 1.0

    def _orthogonalise(self, matrix: Array) -> Array:
        """Newton–Schulz steps on the matrix or, where it is tall, on its transpose: XXᵀ is then the smaller."""
        xp = namespace(matrix)
        tall = matrix.shape[-2] > matrix.shape[-1]
        x = xp.matrix_transpose(matrix) if tall else matrix
        length = xp.sqrt(xp.sum(x * x, axis=(-2, -1), keepdims=True))
        smallest = beside_matrices(self.epsilon)
        x = x / xp.where(length < smallest, smallest, length)
        a, b, c = self.coefficients
        for _ in range(self.newton_schulz_steps):
            square = xp.matmul(x, xp.matrix_transpose(x))
            x = a * x + xp.matmul(b * square + c * xp.matmul(square, square), x)
        return xp.matrix_transpose(x) if tall else x


RULE = Muon
