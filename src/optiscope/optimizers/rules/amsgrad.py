"""AMSGrad: Adam whose second moment never shrinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.rule import TensorState
from optiscope.optimizers.two_moments import TwoMoments


@dataclass(frozen=True, kw_only=True, eq=False)
class AMSGrad(TwoMoments):
    """m and v as in `Adam`; u ← max(u, v); θ ← θ − α m̂/(√û + ε), with û = u/(1−β₂ᵗ).

    Rare large gradients are not forgotten, which mends a case in which Adam does not converge. The paper has no bias
    correction; this is the framework’s form, which has it.
    """

    name: ClassVar[str] = "amsgrad"
    title: ClassVar[str] = "AMSGrad"
    paper: ClassVar[str] = "S. J. Reddi, S. Kale, S. Kumar: On the convergence of Adam and beyond, 2018, algorithm 2"
    reference: ClassVar[str] = "torch.optim.Adam(amsgrad=True)"

    def init_tensor(self, parameter: Array) -> TensorState:
        """Zero moments."""
        return {**super().init_tensor(parameter), "largest_second_moment": namespace(parameter).zeros_like(parameter)}

    def sizes(self, g: Array, m: Array, state: TensorState) -> TensorState:
        """v, and the largest so far."""
        v = super().sizes(g, m, state)["second_moment"]
        return {"second_moment": v, "largest_second_moment": namespace(v).maximum(state["largest_second_moment"], v)}

    def effective_rate_tensor(self, state: TensorState, parameter: Array) -> Array:
        """α/(√û + ε)."""
        del parameter
        return self.corrected_rate(state["largest_second_moment"], state["step"])


RULE = AMSGrad
