"""Prodigy: Adam that finds its learning rate by estimating how far away the minimum is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.flattening import flatten, unflatten
from optiscope.optimizers.limits import FRACTION, POSITIVE, Limit
from optiscope.optimizers.rule import Batching, Rule, Setting
from optiscope.optimizers.search_space import DECAY, MOMENTUM, LogUniform, Range


@dataclass(frozen=True, kw_only=True, eq=False)
class Prodigy(Rule):
    """m ← β₁m + (1−β₁)d g; v ← β₂v + (1−β₂)d²g²; θ ← θ − α d m/(√v + d′ε), with d′ the d of the next step.

    d is a lower bound of the distance ‖θ₀ − θ*‖ from the start to the minimum of a convex loss:
    r ← β₃r + α (d²/d₀) ⟨g, θ₀ − θ⟩; s ← β₃s + α (d²/d₀) g; d′ = max(d, c r/‖s‖₁). It begins tiny and only grows, within
    tens of steps by orders of magnitude, so the first steps hardly move. r, s and d are shared by all tensors of the
    model. `Adam` is the case of a fixed αd, with corrected moments.
    """

    name: ClassVar[str] = "prodigy"
    title: ClassVar[str] = "Prodigy"
    paper: ClassVar[str] = (
        "K. Mishchenko, A. Defazio: Prodigy: An expeditiously adaptive parameter-free learner, 2023, algorithm 4"
    )
    reference: ClassVar[str] = "pytorch_optimizer.Prodigy"
    search: ClassVar[Mapping[str, Range]] = {
        "learning_rate": LogUniform(1e-1, 1e1),
        "beta1": MOMENTUM,
        "beta2": DECAY,
        "initial_distance": LogUniform(1e-6, 1e-1),
    }
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "distance_decay": FRACTION.or_none(),
        "initial_distance": POSITIVE,
        "distance_factor": POSITIVE,
        "growth_limit": Limit(words="a number, 1 or above; it may be infinite", holds=lambda value: value >= 1),
    }

    learning_rate: Setting = 1.0
    """α, a factor of the rate that is found; for schedules."""
    beta1: Setting = 0.9
    """Decay of the momentum m."""
    beta2: Setting = 0.999
    """Decay of the second moment v."""
    distance_decay: Setting | None = None
    """β₃, the decay of r and s. None: √β₂."""
    initial_distance: Setting = 1e-6
    """d₀."""
    distance_factor: Setting = 1.0
    """c, a factor of the estimate: above 1 it is bolder."""
    growth_limit: Setting = float("inf")
    """By what factor d may grow in one step."""
    bias_correction: bool = False
    """Whether α is multiplied by √(1−β₂ᵗ)/(1−β₁ᵗ) as in Adam."""
    safeguard_warm_up: bool = False
    """Whether s leaves out α, against estimates that are too large after a long warm-up."""
    epsilon: Setting = 1e-8
    """ε, which keeps the division finite."""
    weight_decay: Setting = 0.0
    """λ of decoupled decay: θ shrinks by the factor 1 − αdλ."""

    def init(self, parameters: Arrays) -> Mapping[str, Any]:
        """Zero moments over all tensors end to end, and the starting point."""
        flat = flatten(parameters, batch_axes=self.batch_axes)
        zeros = namespace(flat).zeros_like(flat)
        number = namespace(flat).sum(zeros, axis=-1, keepdims=True)
        return {
            "step": 0,
            "momentum": zeros,
            "second_moment": zeros,
            "start": flat + 0,
            "gradient_sum": zeros,
            "progress": number,
            "distance": number,
            "largest_distance": number,
            "rate": number,
        }

    def update(
        self, gradients: Arrays, state: Mapping[str, Any], parameters: Arrays, *, curvature: Arrays | None = None
    ) -> tuple[Arrays, Mapping[str, Any]]:
        """One step of Prodigy."""
        del curvature
        g = flatten(gradients, batch_axes=self.batch_axes)
        theta = flatten(parameters, batch_axes=self.batch_axes)
        xp = namespace(g)
        step = state["step"] + 1
        # Not before: the setting may follow a schedule, of which the first step has the first number.
        d = state["distance"] + self.initial_distance if step == 1 else state["distance"]
        correction = (1 - self.beta2**step) ** 0.5 / (1 - self.beta1**step) if self.bias_correction else 1.0
        rate = d * self.learning_rate * correction
        keep = self.beta2**0.5 if self.distance_decay is None else self.distance_decay
        relative = d / self.initial_distance
        along = xp.sum(g * (state["start"] - theta), axis=-1, keepdims=True)
        progress = keep * state["progress"] + relative * rate * along
        gradient_sum = keep * state["gradient_sum"] + relative * (d if self.safeguard_warm_up else rate) * g
        size = xp.sum(abs(gradient_sum), axis=-1, keepdims=True)
        # Without any gradient so far there is no estimate, and nowhere to go.
        moves = size != 0
        estimate = self.distance_factor * progress / xp.where(moves, size, size + 1)
        before = _larger(state["largest_distance"], d)
        largest = _larger(before, estimate)
        first = d == self.initial_distance
        grown = xp.where(first, _larger(d, estimate), d) * self.growth_limit
        distance = xp.where(moves, xp.where(grown > largest, largest, grown), d)
        m = self.beta1 * state["momentum"] + d * (1 - self.beta1) * g
        v = self.beta2 * state["second_moment"] + d * d * (1 - self.beta2) * (g * g)
        after = {
            **state,
            "step": step,
            "momentum": m,
            "second_moment": v,
            "gradient_sum": gradient_sum,
            "progress": progress,
            "distance": distance,
            "largest_distance": xp.where(moves, largest, before),
            "rate": xp.where(moves, rate, rate * 0),
        }
        update = -after["rate"] * (m / self._root(after) + self.weight_decay * theta)
        return unflatten(update, parameters, batch_axes=self.batch_axes), after

    def effective_rate(self, state: Mapping[str, Any], parameters: Arrays) -> Arrays:
        """α d²/(√v + dε), what the momentum of the gradients is times; m itself has the factor d."""
        rate = state["rate"] * state["distance"] / self._root(state)
        return unflatten(rate, parameters, batch_axes=self.batch_axes)

    def internals(self, state: Mapping[str, Any]) -> Mapping[str, Array]:
        """Over all tensors end to end: momentum, second moment, the sum s; and the distance d, for each coordinate."""
        zeros = namespace(state["momentum"]).zeros_like(state["momentum"])
        alike = {name: state[name] for name in ("momentum", "second_moment", "gradient_sum")}
        return {**alike, "distance": state["distance"] + zeros}

    def _root(self, state: Mapping[str, Any]) -> Array:
        """√v + dε."""
        v = state["second_moment"]
        return namespace(v).sqrt(v) + state["distance"] * self.epsilon


def _larger(one: Array, other: Array) -> Array:
    return namespace(one).where(other > one, other, one)


RULE = Prodigy
