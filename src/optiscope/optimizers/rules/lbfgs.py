"""L-BFGS: quasi-Newton steps from the last changes of the gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from optiscope.optimizers.arrays import Array, Arrays, namespace
from optiscope.optimizers.flattening import flatten, unflatten
from optiscope.optimizers.limits import NOT_NEGATIVE, Limit, at_least
from optiscope.optimizers.rule import Batching, Rule, Setting
from optiscope.optimizers.search_space import LogUniform, Range

Pair: TypeAlias = tuple[Array, Array, Array]
"""A step s, the change y of the gradient along it, and 1/⟨y, s⟩. All zero: no pair, and no effect."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LBFGS(Rule):
    """θ ← θ − α H g, where H is the inverse Hessian that the last pairs s = Δθ, y = Δg tell: y = H⁻¹s for each.

    H begins as (⟨y,s⟩/⟨y,y⟩) I of the last pair and is applied by the two-loop recursion. A pair with ⟨y, s⟩ ≤ 1e-10 is
    left out, so H stays positive definite, and unlike `Newton` the step always descends. The first step has no pair:
    it goes −min(1, 1/‖g‖₁) α g. There is no line search; all tensors count as one vector.
    """

    name: ClassVar[str] = "lbfgs"
    title: ClassVar[str] = "L-BFGS"
    paper: ClassVar[str] = (
        "D. C. Liu, J. Nocedal: On the limited memory BFGS method for large scale optimization, 1989; "
        "J. Nocedal, S. Wright: Numerical optimization, 2006, algorithm 7.4"
    )
    reference: ClassVar[str] = "torch.optim.LBFGS(max_iter=1)"
    search: ClassVar[Mapping[str, Range]] = {"learning_rate": LogUniform(1e-3, 2.0)}
    batching: ClassVar[Batching] = "rowwise"
    limits: ClassVar[Mapping[str, Limit]] = {
        "history": at_least(1),
        "gradient_tolerance": NOT_NEGATIVE,
        "change_tolerance": NOT_NEGATIVE,
    }

    learning_rate: Setting = 1.0
    """α; 1 suits a noiseless loss."""
    history: int = 100
    """How many pairs are remembered; 5 to 20 is usual."""
    gradient_tolerance: Setting = 1e-7
    """A gradient without a coordinate above this in magnitude counts as zero: nothing moves and nothing is learnt."""
    change_tolerance: Setting = 1e-9
    """A step along which the loss would fall by less than this, to first order at α = 1, is not taken."""

    def init(self, parameters: Arrays) -> Mapping[str, Any]:
        """No pairs."""
        flat = flatten(parameters, batch_axes=self.batch_axes)
        xp = namespace(flat)
        zeros = xp.zeros_like(flat)
        number = xp.sum(zeros, axis=-1, keepdims=True)
        return {"step": 0, "gradient": zeros, "change": zeros, "pairs": (), "scale": number + 1, "started": number != 0}

    def update(
        self, gradients: Arrays, state: Mapping[str, Any], parameters: Arrays, *, curvature: Arrays | None = None
    ) -> tuple[Arrays, Mapping[str, Any]]:
        """One step of L-BFGS."""
        del curvature
        g = flatten(gradients, batch_axes=self.batch_axes)
        xp = namespace(g)
        started = state["started"]
        ends = xp.max(abs(g), axis=-1, keepdims=True) <= self.gradient_tolerance

        s, y = state["change"], g - state["gradient"]
        ys = _dot(y, s)
        counts = (ys > 1e-10) & started & ~ends
        safe = xp.where(counts, ys, xp.zeros_like(ys) + 1)
        zeros = xp.zeros_like(g)
        pair = (xp.where(counts, s, zeros), xp.where(counts, y, zeros), counts / safe)
        pairs = self._remember(state["pairs"], pair, counts)
        scale = xp.where(counts, safe / xp.where(counts, _dot(y, y), safe), state["scale"])

        direction = -_two_loops(g, pairs, scale)
        length = xp.sum(abs(g), axis=-1, keepdims=True)
        shorter = xp.where(length > 1, 1 / xp.where(length > 1, length, length + 1), xp.zeros_like(length) + 1)
        change = self.learning_rate * xp.where(started, xp.zeros_like(shorter) + 1, shorter) * direction
        stays = ends | (_dot(g, direction) > -self.change_tolerance)
        after = {
            "step": state["step"] + 1,
            "gradient": xp.where(ends, state["gradient"], g),
            "change": xp.where(ends, s, change),
            "pairs": pairs,
            "scale": scale,
            "started": started | ~ends,
        }
        update = xp.where(stays, zeros, change)
        return unflatten(update, parameters, batch_axes=self.batch_axes), after

    def internals(self, state: Mapping[str, Any]) -> Mapping[str, Array]:
        """The last step, over all tensors end to end, as an arrow along it."""
        return {"velocity": state["change"]}

    def _remember(self, pairs: tuple[Pair, ...], new: Pair, counts: Array) -> tuple[Pair, ...]:
        """The pairs with the new one at the end, in the rows in which it counts."""
        xp = namespace(counts)
        if bool(xp.all(counts)):
            return (*pairs, new)[-self.history :]
        if not bool(xp.any(counts)):
            return pairs
        # Rows differ: in the rows in which the new pair counts everything moves up by one place.
        none: Pair = (xp.zeros_like(new[0]), xp.zeros_like(new[1]), xp.zeros_like(new[2]))
        room = pairs if len(pairs) == self.history else (none, *pairs)
        moved = (*room[1:], new)
        return tuple(
            (xp.where(counts, one[0], other[0]), xp.where(counts, one[1], other[1]), xp.where(counts, one[2], other[2]))
            for one, other in zip(moved, room, strict=True)
        )


def _dot(one: Array, other: Array) -> Array:
    return namespace(one).sum(one * other, axis=-1, keepdims=True)


def _two_loops(g: Array, pairs: tuple[Pair, ...], scale: Array) -> Array:
    """H g."""
    q = g
    shares: list[Array] = []
    for s, y, inverse in reversed(pairs):
        shares.append(inverse * _dot(s, q))
        q = q - shares[-1] * y
    r = scale * q
    for (s, y, inverse), share in zip(pairs, reversed(shares), strict=True):
        r = r + s * (share - inverse * _dot(y, r))
    return r


RULE = LBFGS
