"""What a user asked `watch` to record, checked before training begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from optiscope.errors import ArgumentError, UnknownName
from optiscope.recording.quantities import Quantity, quantities
from optiscope.recording.reductions import Reduction
from optiscope.recording.schedule import Schedule, at, log_spaced

HISTOGRAM_KINDS = ("weights", "gradients", "updates")
"""Of what histograms are counted, each per parameter tensor."""
DEFAULT_SNAPSHOT_BYTES = 512 * 2**20
DEFAULT_SNAPSHOTS = 200
DEFAULT_HISTOGRAMS = 100


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be recorded, and when. A schedule of None leaves the choice of steps to the budget."""

    quantities: Mapping[Quantity, Schedule | None]
    """The quantities and their schedules."""
    histograms: Schedule | None
    """When histograms are counted."""
    snapshots: Schedule | None
    """When all parameters are kept."""
    snapshot_bytes: int | None
    """Most bytes that all snapshots together may take; None is no cap."""
    budget: float | None
    """Most that recording may cost, as a share of the training time; None is no limit."""

    def wants(self, name: str) -> bool:
        """Whether the quantity of that name is asked for."""
        return any(quantity.name == name for quantity in self.quantities)

    def limited_to(self, reductions: Set[Reduction], *, histograms: bool, snapshots: bool) -> Request:
        """The part of the request that an adapter with these reductions and abilities can serve."""
        return replace(
            self,
            quantities={quantity: when for quantity, when in self.quantities.items() if quantity.needs <= reductions},
            histograms=self.histograms if histograms else at(),
            snapshots=self.snapshots if snapshots else at(),
        )

    def snapshot_schedule(self, snapshot_size: int) -> Schedule:
        """The schedule of snapshots of `snapshot_size` bytes: what was asked for, or as many as fit under the cap."""
        if self.snapshots is not None:
            return self.snapshots
        fitting = DEFAULT_SNAPSHOTS
        if self.snapshot_bytes is not None:
            fitting = min(fitting, self.snapshot_bytes // max(1, snapshot_size))
        return log_spaced(max(3, fitting))

    def histogram_schedule(self) -> Schedule:
        """The schedule of histograms: what was asked for, or log-spaced."""
        return log_spaced(DEFAULT_HISTOGRAMS) if self.histograms is None else self.histograms


def request_of(
    *,
    chosen: Iterable[str] | Mapping[str, Schedule | None] | None,
    raw_gradients: bool,
    histograms: Schedule | None,
    snapshots: Schedule | None,
    snapshot_bytes: int | None,
    budget: float | None,
) -> Request:
    """Check and complete the arguments of `watch`. Raises `UnknownName` or `ArgumentError`."""
    known = quantities()
    if chosen is None:
        names: dict[str, Schedule | None] = {name: None for name, quantity in known.items() if quantity.core}
    elif isinstance(chosen, Mapping):
        names = dict(chosen)
    elif isinstance(chosen, str):
        raise ArgumentError(f"quantities is a list of names, or a mapping of names to schedules. Received: {chosen!r}")
    else:
        names = dict.fromkeys(chosen)
    if raw_gradients:
        names.setdefault("raw_gradient_norm", None)
    for name, schedule in names.items():
        if name not in known:
            raise UnknownName.among(name, known, kind="quantity")
        _check_schedule(f"quantities[{name!r}]", schedule)
    _check_schedule("histograms", histograms)
    _check_schedule("snapshots", snapshots)
    if budget is not None and not _is_share(budget):
        raise ArgumentError(
            "budget is the share of the training time that recording may cost, such as 0.05 for 5 %, or None for no "
            f"limit. Received: {budget!r}"
        )
    if snapshot_bytes is not None and snapshot_bytes < 0:
        raise ArgumentError(f"snapshot_bytes is a number of bytes from 0, or None. Received: {snapshot_bytes!r}")
    if snapshot_bytes is None and snapshots is None:
        snapshot_bytes = DEFAULT_SNAPSHOT_BYTES
    return Request(
        quantities={quantity: names[name] for name, quantity in known.items() if name in names},
        histograms=histograms,
        snapshots=snapshots,
        snapshot_bytes=snapshot_bytes,
        budget=budget,
    )


def _check_schedule(argument: str, schedule: object) -> None:
    if schedule is not None and not isinstance(schedule, Schedule):
        raise ArgumentError(
            f"{argument} takes a schedule such as every(10), log_spaced(200), at(0, 100) or at() for never. "
            f"Received: {schedule!r}"
        )


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1
