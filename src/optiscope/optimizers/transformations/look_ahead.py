"""Goes some way and comes part of the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array, namespace
from optiscope.optimizers.limits import POSITIVE, Limit
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.settings import EVERY
from optiscope.optimizers.transformations.transformation import TensorTransformation


@dataclass(frozen=True, kw_only=True, eq=False)
class LookAhead(TensorTransformation):
    """Every k steps φ ← φ + rate · (θ − φ); θ ← φ. In between θ goes its way.

    It comes last in a chain, as it looks at the parameters after the step; only `average_weights`, which leaves θ
    alone, comes behind it. What moments the chain has are kept.

    Source: M. Zhang and others: Lookahead optimizer: k steps forward, 1 step back, 2019, algorithm 1.
    """

    name: ClassVar[str] = "look_ahead"
    title: ClassVar[str] = "look-ahead"
    reference: ClassVar[str] = "pytorch_optimizer.Lookahead"
    comes_last: ClassVar[bool] = True
    limits: ClassVar[Mapping[str, Limit]] = {"every": EVERY, "rate": POSITIVE}

    every: int = 5
    """k: steps between two times of coming back."""
    rate: Setting = 0.5
    """How far φ follows: at 1 nothing is taken back."""

    def init_tensor(self, parameter: Array) -> TensorState:
        """φ = θ."""
        # A copy: frameworks change their parameters in place.
        return {"step": 0, "slow": namespace(parameter).asarray(parameter, copy=True)}

    def update_tensor(self, direction: Array, state: TensorState, parameter: Array) -> tuple[Array, TensorState]:
        """The direction, or that to φ."""
        step, slow = state["step"] + 1, state["slow"]
        if step % self.every:
            return direction, {"step": step, "slow": slow}
        slow = slow + self.rate * (parameter - direction - slow)
        return parameter - slow, {"step": step, "slow": slow}


def look_ahead(every: int = 5, rate: Setting = 0.5) -> LookAhead:
    """Come part of the way back every few steps; see `LookAhead`."""
    return LookAhead(every=every, rate=rate)


TRANSFORMATION = LookAhead
