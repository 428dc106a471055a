"""A running mean of the parameters beside the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import Choice, Limit, at_least
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class AverageWeights(TensorTransformation):
    """θ̄ ← decay · θ̄ + (1 − decay) · θ after each step, θ̄ = θ at first. θ̄ is judged and kept, θ goes its way.

    "mean": θ̄ is the plain mean of all θ so far, as in stochastic weight averaging. It comes at the very end
    of a chain, also behind `look_ahead`, as it averages the points that are really reached.

    Source: B. T. Polyak, A. B. Juditsky: Acceleration of stochastic approximation by averaging, 1992; P. Izmailov and
    others: Averaging weights leads to wider optima and better generalization, 2018.
    """

    name: ClassVar[str] = "average_weights"
    title: ClassVar[str] = "averaged"
    reference: ClassVar[str] = "torch.optim.swa_utils.AveragedModel"
    comes_last: ClassVar[bool] = True
    ends_chain: ClassVar[bool] = True
    limits: ClassVar[Mapping[str, Limit | Choice]] = {
        "begin": at_least(0),
        "kind": Choice(choices=("exponential", "mean")),
    }

    decay: Setting = 0.999
    """How much of the mean is kept in each step. Not used by the plain mean."""
    kind: Literal["exponential", "mean"] = "exponential"
    """Which mean."""
    begin: int = 0
    """Steps before the first that counts; until then θ̄ = θ."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """θ̄ = θ."""
        # A copy: frameworks change their parameters in place.
        return {"step": 0, "average": namespace(parameter).asarray(parameter, copy=True)}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction as it is."""
        after, counted = parameter - direction, state["step"] - self.begin
        if counted > 0:
            new = 1 / (counted + 1) if self.kind == "mean" else 1 - self.decay
            after = state["average"] + new * (after - state["average"])
        return direction, {"step": state["step"] + 1, "average": after}

    def evaluation_tensor(self, state: TensorState, parameter: Array) -> Array:
        """θ̄."""
        del parameter
        return state["average"]


def average_weights(
    decay: Setting = 0.999, *, kind: Literal["exponential", "mean"] = "exponential", begin: int = 0
) -> AverageWeights:
    """Keep a running mean of the parameters, to judge and to keep; see `AverageWeights`."""
    return AverageWeights(decay=decay, kind=kind, begin=begin)


TRANSFORMATION = AverageWeights
