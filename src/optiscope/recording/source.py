"""One watched optimizer: its step counter, its budget, and its measurements on their way to the writer."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiscope.recording.budget import LONGEST_GAP, Budget
from optiscope.recording.measurement import Labels, Measurement, columns_of
from optiscope.recording.plan import Plan, plan_of
from optiscope.recording.quantities import Cost, Quantity
from optiscope.recording.request import HISTOGRAM_KINDS
from optiscope.recording.schedule import Schedule
from optiscope.runs import Block, Position, Row

if TYPE_CHECKING:
    from optiscope.recording.recorder import Recorder

MOST_ALARMS = 3
"""Steps that are measured whole because something is not finite: the first say where it began, later ones little."""
MOST_WAITING = 100_000
"""Measurements that wait for a writer that does not take them, before the oldest are dropped."""
Settings = Mapping[str, tuple[float, ...]]
"""Learning rate and the like: one number per parameter group."""


class Measured(NamedTuple):
    """One measured step on its way to the writer thread."""

    plan: Plan
    labels: Labels
    position: Position
    measurement: Measurement


class Changed(NamedTuple):
    """Settings on their way to the writer thread."""

    labels: Labels
    position: Position
    settings: Settings


class StepSource:
    """Counts the steps of one optimizer, plans what is measured at each, and hands the measurements over."""

    def __init__(self, recorder: Recorder, name: str, labels: Labels, *, snapshot_schedule: Schedule) -> None:
        """`name` goes before the names of the series, unless it is empty."""
        self.name = name
        self.labels = labels
        self.step = recorder.first_step
        """Steps completed."""
        self.training_seconds = 0.0
        """Time from the end of the first step to the end of the last, without the recorder's own, in seconds."""
        self._recorder = recorder
        self._request = recorder.request
        self._budget = Budget(recorder.request.budget)
        self._is_unthinned = recorder.request.budget is None and not any(recorder.request.quantities.values())
        self._queue: deque[Measured] = deque()
        self._settings_queue: deque[Changed] = deque()
        self._is_submitted = False
        self._first_step = self.step
        self._settled_step = self.step
        self._settled_at: float | None = None
        self._own_settled = 0.0
        self._rows_charged = 0.0
        self._snapshots_charged = 0.0
        self._alarms = 0
        self._is_alarmed = False
        self._times_measured: Counter[tuple[Quantity, ...]] = Counter()
        self._histogram_schedule = recorder.request.histogram_schedule()
        self._snapshot_schedule = snapshot_schedule
        self._histogram_due = self._histogram_schedule.next_after(self.step)
        self._snapshot_due = snapshot_schedule.next_after(self.step)
        self._histogram_price = 0.0
        self._snapshot_price = 0.0
        self._plans: dict[tuple[Quantity, ...], Plan] = {}
        self._wake = 0
        self.plan = self._plan_next()
        """What to measure at the next step."""

    def end(self, measurement: Measurement | None, settings: Settings | None) -> Plan:
        """After the optimizer's step: take the measurement and plan the next step.

        Args:
            measurement: What the plan asked for; None when there was nothing to measure or it could not be.
            settings: Learning rate and the like as they were during the step, one number per parameter group; None
                when nothing is to be recorded because they are as they were.

        Returns:
            The plan of the next step, so that the adapter can keep the gradient if that step needs it.
        """
        self.step += 1
        if measurement is not None or settings is not None:
            self._hand_over(measurement, settings)
        if self.plan.is_empty and self.step + 1 < self._wake:
            return self.plan
        if self.plan.snapshot:
            self._recorder.snapshot()
        self._settle()
        self._recorder.report()
        self.plan = self._plan_next()
        return self.plan

    def alarm(self) -> None:
        """A gradient that is not finite is about to enter a step: note the first, and measure the step."""
        if not self._is_alarmed:
            self._is_alarmed = True
            self._recorder.writer.event(
                "nonfinite-gradient", "A gradient that is not finite entered this step.", step=self.step + 1
            )
        self.measure_next()

    def measure_next(self) -> None:
        """Measure the next step whole, whatever it costs, because something is not finite. Only the first few times."""
        if self._alarms < MOST_ALARMS:
            self._alarms += 1
            unscheduled = (quantity for quantity, schedule in self._request.quantities.items() if schedule is None)
            chosen = tuple(dict.fromkeys((*self.plan.quantities, *unscheduled)))
            self.plan = plan_of(chosen, histograms=self.plan.histograms, snapshot=self.plan.snapshot)

    def skip(self) -> None:
        """Count a step that was skipped: it left the weights alone. What was planned for it is measured at the next."""
        self.step += 1

    def intervals(self) -> dict[str, float]:
        """For each quantity, the mean number of steps from one measurement to the next."""
        steps = self.step - self._first_step
        times: Counter[str] = Counter()
        for quantities, count in self._times_measured.copy().items():
            times.update({quantity.name: count for quantity in quantities})
        return {self._prefix + name: steps / count for name, count in times.items()}

    @property
    def _prefix(self) -> str:
        return f"{self.name}/" if self.name else ""

    # ------------------------------------------------------------------------------------------------- planning

    def _plan_next(self) -> Plan:
        """Plan the next step; when that step has nothing to measure, also when to plan again."""
        step = self.step + 1
        wake = [step + LONGEST_GAP]
        chosen = list(self._request.quantities)
        if self._is_unthinned:
            wake.append(step + 1)
        else:
            waits = {cost: self._budget.steps_until(cost) for cost in Cost}
            chosen = []
            for quantity, schedule in self._request.quantities.items():
                due = step + waits[quantity.cost] - 1 if schedule is None else schedule.next_after(self.step)
                if due == step:
                    chosen.append(quantity)
                elif due is not None:
                    wake.append(due)
        histograms = self._is_due(self._histogram_due, self._request.histograms, self._histogram_price)
        snapshot = self._is_due(self._snapshot_due, self._request.snapshots, self._snapshot_price)
        if histograms:
            self._histogram_due = self._histogram_schedule.next_after(step)
        if snapshot:
            self._snapshot_due = self._snapshot_schedule.next_after(step)
        wake.append(self._payable(self._histogram_due, self._request.histograms, self._histogram_price))
        wake.append(self._payable(self._snapshot_due, self._request.snapshots, self._snapshot_price))
        self._wake = min(wake)
        quantities = tuple(chosen)
        if histograms or snapshot:
            return plan_of(quantities, histograms=HISTOGRAM_KINDS if histograms else (), snapshot=snapshot)
        if quantities not in self._plans:
            self._plans[quantities] = plan_of(quantities)
        return self._plans[quantities]

    def _is_due(self, due: int | None, requested: Schedule | None, price: float) -> bool:
        """Whether what is scheduled for `due` happens at the next step: if asked for always, else if paid for."""
        return due is not None and due <= self.step + 1 and (requested is not None or self._budget.can_pay(price))

    def _payable(self, due: int | None, requested: Schedule | None, price: float) -> int:
        """The step at which what is scheduled for the step `due` can probably happen."""
        if due is None:
            return self.step + LONGEST_GAP
        return due if requested is not None else max(due, self.step + self._budget.steps_until_paid(price))

    # ------------------------------------------------------------------------------------------------- accounting

    def _settle(self) -> None:
        """Tell the budget how long the steps since the last time took, and how much of it was ours."""
        recorder, plan = self._recorder, self.plan
        now, own = time.perf_counter(), recorder.guard.seconds_so_far()
        spent = own - self._own_settled
        if self._settled_at is not None:
            bare = max(0.0, now - self._settled_at - spent)
            self.training_seconds += bare
            self._budget.earn(self.step - self._settled_step, bare)
        if plan.histograms or plan.snapshot:
            # Such a step tells nothing of the price of the quantities, so it is charged as a whole.
            self._budget.charge_once(spent)
            if self._settled_at is not None:  # the first step also allocates, which no later one does
                self._histogram_price = spent if plan.histograms else self._histogram_price
                if plan.snapshot:
                    self._snapshot_price = spent + self._snapshots_charged / max(1, recorder.snapshots_taken)
        elif plan.quantities:
            self._budget.measured(plan.passes, spent)
        else:
            self._budget.charge_fixed(spent)
        self._charge_writer()
        self._settled_step, self._settled_at, self._own_settled = self.step, now, own

    def _charge_writer(self) -> None:
        """Charge the writer thread's processor time: snapshots to the source that schedules them, the rest to all."""
        writer = self._recorder.writer
        on_snapshots = writer.snapshot_seconds
        # The thread's time is known after a round only, that of a snapshot at once: never let the difference fall.
        on_rows = max(self._rows_charged, writer.thread_seconds - on_snapshots)
        self._budget.charge_fixed((on_rows - self._rows_charged) / len(self._recorder.sources))
        if self._recorder.sources[0] is self:
            self._budget.charge_once(on_snapshots - self._snapshots_charged)
        self._rows_charged, self._snapshots_charged = on_rows, on_snapshots

    # ------------------------------------------------------------------------------------------------- handing over

    def _hand_over(self, measurement: Measurement | None, settings: Settings | None) -> None:
        # Of several optimizers each counts its own steps: row k describes the k-th update of this one.
        position = replace(self._recorder.position(), step=self.step)
        if measurement is not None:
            self._queue.append(Measured(self.plan, self.labels, position, measurement))
            self._times_measured[self.plan.quantities] += 1
        if settings is not None:
            self._settings_queue.append(Changed(self.labels, position, settings))
        if not self._is_submitted:
            self._is_submitted = True
            # A writer whose disk stands still takes no more jobs; then the next step tries again.
            self._is_submitted = self._recorder.writer.submit(self._drain)
            if len(self._queue) > MOST_WAITING:
                self._queue.popleft()
                self._recorder.guard.fault("the disk does not keep up, and measurements are dropped.", key="stalled")

    def _drain(self) -> Iterator[Row | Block]:
        """On the writer thread: turn everything that waits into blocks, each of the rows that share a plan."""
        self._is_submitted = False
        # The entries hold on to their plans and labels, so an id stands for one object throughout.
        measured: dict[Hashable, list[tuple[int, Measured]]] = {}
        changed: dict[Hashable, list[tuple[int, Changed]]] = {}
        histograms: list[Measured] = []
        place = 0
        while self._queue:
            entry = self._queue.popleft()
            measured.setdefault((id(entry.plan), id(entry.labels), *_timelines(entry.position)), []).append(
                (place, entry)
            )
            if entry.measurement.histograms is not None:
                histograms.append(entry)
            place += 1
        while self._settings_queue:
            change = self._settings_queue.popleft()
            key = (id(change.labels), tuple(change.settings), *_timelines(change.position))
            changed.setdefault(key, []).append((place, change))
            place += 1
        makers: list[Callable[[], Row | Block]] = [
            *(partial(self._measured_block, rows) for rows in measured.values() if rows[0][1].plan.reductions),
            *(partial(self._settings_block, changes) for changes in changed.values()),
            *(partial(self._histogram_row, entry) for entry in histograms),
        ]
        failure: Exception | None = None
        for make in makers:
            # What cannot be made must not take the rest with it; the writer counts it and says so.
            try:
                yield make()
            except Exception as error:
                failure = error
        if failure is not None:
            raise failure

    def _measured_block(self, rows: list[tuple[int, Measured]]) -> Block:
        plan, labels = rows[0][1].plan, rows[0][1].labels
        columns = columns_of(plan, labels, [entry.measurement for _, entry in rows])
        return Block(
            source="layers",
            places=[place for place, _ in rows],
            positions=[entry.position for _, entry in rows],
            values={self._prefix + name: column for name, column in columns.items()},
            labels={self._prefix + quantity.name: labels.tensors for quantity in plan.quantities},
        )

    def _settings_block(self, rows: list[tuple[int, Changed]]) -> Block:
        names = list(rows[0][1].settings)
        values = {
            self._prefix + name: np.array([change.settings[name] for _, change in rows], dtype=np.float64)
            for name in names
        }
        return Block(
            source="optimizer",
            places=[place for place, _ in rows],
            positions=[change.position for _, change in rows],
            values=values,
            labels=dict.fromkeys(values, rows[0][1].labels.groups),
        )

    def _histogram_row(self, entry: Measured) -> Row:
        assert entry.measurement.histograms is not None
        values: dict[str, NDArray[np.int64]] = {}
        for kind, table in entry.measurement.histograms.resolve().items():
            values[self._prefix + kind] = table[:, :-1]
            values[f"{self._prefix}{kind}/nonfinite"] = table[:, -1]
        labels = dict.fromkeys(values, entry.labels.tensors)
        return Row(source="histograms", position=entry.position, values=values, labels=labels)


def _timelines(position: Position) -> tuple[bool, bool]:
    return position.epoch is None, position.samples is None
