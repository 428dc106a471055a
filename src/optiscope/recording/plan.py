"""What to measure at one step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from optiscope.recording.quantities import Cost, Quantity
from optiscope.recording.reductions import NEEDS_PREVIOUS_GRADIENT, NEEDS_WEIGHTS_BEFORE, Reduction


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an adapter measures at one step of one optimizer."""

    quantities: tuple[Quantity, ...] = ()
    """What is recorded."""
    reductions: tuple[Reduction, ...] = ()
    """What the adapter computes for it, in the order in which it returns the rows."""
    histograms: tuple[str, ...] = ()
    """Of what histograms are counted: "weights", "gradients", "updates"."""
    snapshot: bool = False
    """Whether all parameters are kept after the step."""

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing to measure."""
        return not (self.reductions or self.histograms or self.snapshot)

    @cached_property
    def needs_weights_before(self) -> bool:
        """Whether the weights before the step must be copied."""
        return "updates" in self.histograms or not NEEDS_WEIGHTS_BEFORE.isdisjoint(self.reductions)

    @cached_property
    def needs_previous_gradient(self) -> bool:
        """Whether the gradient of the step before must have been kept."""
        return not NEEDS_PREVIOUS_GRADIENT.isdisjoint(self.reductions)

    @cached_property
    def passes(self) -> dict[Cost, float]:
        """Passes over the parameters for each cost class; what several classes share counts as the cheapest's."""
        seen: set[Reduction] = set()
        spent: dict[Cost, float] = {}
        for quantity in sorted(self.quantities, key=lambda quantity: quantity.cost):
            fresh = quantity.needs - seen
            seen |= fresh
            spent[quantity.cost] = spent.get(quantity.cost, 0.0) + sum(reduction.passes for reduction in fresh)
        return spent


def plan_of(quantities: tuple[Quantity, ...], *, histograms: tuple[str, ...] = (), snapshot: bool = False) -> Plan:
    """The plan that measures `quantities`, with the reductions that they need."""
    needed = frozenset[Reduction]().union(*(quantity.needs for quantity in quantities))
    ordered = tuple(reduction for reduction in Reduction if reduction in needed)
    return Plan(quantities=quantities, reductions=ordered, histograms=histograms, snapshot=snapshot)
