"""AdamW: Adam with weight decay that does not pass through the adaptive rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting, TensorState
from optiscope.optimizers.rules.adam import Adam


@dataclass(frozen=True, kw_only=True, eq=False)
class AdamW(Adam):
    """θ ← θ − αλθ − α m̂/(√v̂ + ε), with m̂ and v̂ as in `Adam`.

    Every weight decays at the same rate; the ℓ2 penalty of `Adam` hardly moves weights with large gradients.
    """

    name: ClassVar[str] = "adamw"
    title: ClassVar[str] = "AdamW"
    paper: ClassVar[str] = "I. Loshchilov, F. Hutter: Decoupled weight decay regularization, 2019, algorithm 2"
    reference: ClassVar[str] = "torch.optim.AdamW"

    weight_decay: Setting = 1e-2
    """λ of decoupled decay: θ shrinks by αλθ."""

    def update_tensor(
        self, gradient: Array, state: TensorState, parameter: Array, *, curvature: Array | None = None
    ) -> tuple[Array, TensorState]:
        """One step of AdamW."""
        del curvature
        update, after = self.moved(gradient, state)
        return update - self.learning_rate * self.weight_decay * parameter, after


RULE = AdamW
