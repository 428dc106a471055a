"""Newton's method: the step to the stationary point of the local parabola, whatever kind of point that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from optiscope.errors import ArgumentError
from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.flattening import flatten, unflatten
from optiscope.optimizers.matrices import eigen
from optiscope.optimizers.rule import Batching, Setting, TensorRule, TensorState
from optiscope.optimizers.search_space import LogUniform, Range


@dataclass(frozen=True, kw_only=True, eq=False)
class Newton(TensorRule):
    """θ ← θ − α (H + μI)⁻¹ g; saddle-free: θ ← θ − α (|H| + μI)⁻¹ g, where |H| has the eigenvalues' magnitudes.

    H is the Hessian of the loss over one tensor. Where H has negative eigenvalues the plain step climbs along them:
    Newton's method is drawn to saddles and maxima as much as to minima. The saddle-free step descends along all.
    `LBFGS` builds its estimate of H⁻¹ from gradients, and keeps it positive definite.

    Eigenvalues below the rounding error of the largest count as zero, and are left alone as far as μ = 0: the shortest
    step to where the parabola is stationary.
    """

    name: ClassVar[str] = "newton"
    title: ClassVar[str] = "Newton"
    paper: ClassVar[str] = (
        "I. Newton, J. Raphson; saddle-free: Y. N. Dauphin et al.: Identifying and attacking the saddle point problem "
        "in high-dimensional non-convex optimization, 2014, algorithm 1"
    )
    reference: ClassVar[str] = "the formula, solved by Gaussian elimination"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LogUniform(1e-2, 2.0), "damping": LogUniform(1e-6, 1e2)}
    batching: ClassVar[Batching] = "rowwise"
    curvature: ClassVar[Literal["none", "diagonal", "full"]] = "full"

    learning_rate: Setting = 1.0
    """α; 1 goes all the way to the stationary point of the parabola."""
    damping: Setting = 0.0
    """μ, added to the eigenvalues: the larger, the shorter the step and the nearer to gradient descent with α/μ."""
    saddle_free: bool = False
    """Whether the eigenvalues' magnitudes take the place of the eigenvalues."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """No step yet, so no rate."""
        return {"step": 0, "effective_rate": namespace(parameter).zeros_like(parameter)}

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step. Raises `ArgumentError` without a Hessian."""
        if curvature is None:
            raise ArgumentError(
                "Newton's method needs the Hessian of the loss over each flattened tensor. Pass it as curvature=…, or "
                "take a rule that needs gradients alone, such as lbfgs. Received: None."
            )
        xp = namespace(parameter)
        g = flatten((gradient,), batch_axes=self.batch_axes)
        values, vectors = eigen(xp.asarray(curvature, dtype=g.dtype))
        size = abs(values)
        largest = xp.max(size, axis=-1, keepdims=True)
        known = size > largest * (values.shape[-1] * float(xp.finfo(g.dtype).eps))
        stretched = (size if self.saddle_free else values) * known + self.damping
        # Zero where neither the curvature nor the damping says how far to go; NaN goes on as NaN.
        unknown = stretched == 0
        used = xp.where(unknown, xp.zeros_like(stretched), 1 / (stretched + unknown))
        along = xp.sum(vectors * g[..., :, None], axis=-2)
        step = -self.learning_rate * xp.sum(vectors * (used * along)[..., None, :], axis=-1)
        rate = self.learning_rate * xp.sum(vectors * vectors * used[..., None, :], axis=-1)
        (update,) = unflatten(step, (parameter,), batch_axes=self.batch_axes)
        (effective_rate,) = unflatten(rate, (parameter,), batch_axes=self.batch_axes)
        return update, {"step": state["step"] + 1, "effective_rate": effective_rate}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """The diagonal of α (H + μI)⁻¹; negative where the step climbs."""
        del parameter
        return state["effective_rate"]

    def internals(self, state: tuple[TensorState, ...]) -> Mapping[str, Array]:
        """Nothing: each step forgets the last."""
        del state
        return {}


RULE = Newton
