"""One watched optimizer: its step counter, its budget, and its measurements on their way to the writer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optiscope.recording.budget import Budget
from optiscope.recording.measurement import Labels, Measurement, columns_of
from optiscope.recording.plan import Plan, plan_of
from optiscope.recording.quantities import Quantity
from optiscope.recording.request import HISTOGRAM_KINDS
from optiscope.recording.schedule import Schedule
from optiscope.runs import Position, Row

if TYPE_CHECKING:
    from optiscope.recording.recorder import Recorder

Settings = Mapping[str, tuple[float, ...]]
"""Learning rate and the like: one number per parameter group."""
WRITER_CHARGE_STEPS = 32
"""How often, in steps, the writer thread's processor time is charged to the budget."""


class StepSource:
    """Counts the steps of one optimizer, plans what is measured at each, and hands the measurements over."""

    def __init__(self, recorder: Recorder, name: str, labels: Labels, *, snapshot_schedule: Schedule | None) -> None:
        """`name` goes before the names of the series, unless it is empty; without a schedule there are no snapshots."""
        self.name = name
        self.labels = labels
        self.step = recorder.first_step
        self.training_seconds = 0.0
        """Time from the end of the first step to the end of the last, without the recorder's own, in seconds."""
        self._recorder = recorder
        self._budget = Budget(recorder.request.budget)
        self._queue: deque[tuple[Plan, Labels, Position, Measurement]] = deque()
        self._settings_queue: deque[tuple[Labels, Position, Settings]] = deque()
        self._settings: Settings | None = None
        self._submitted = False
        self._times_measured: dict[str, int] = {}
        self._steps_seen = 0
        self._ended_at: float | None = None
        self._own_at_end = 0.0
        self._writer_charged = 0.0
        self._histogram_schedule = recorder.request.histogram_schedule()
        self._snapshot_schedule = snapshot_schedule
        self._histogram_due = self._histogram_schedule.next_after(self.step)
        self._snapshot_due = None if snapshot_schedule is None else snapshot_schedule.next_after(self.step)
        self._histogram_price = 0.0
        self._snapshot_price = 0.0
        self._plans: dict[tuple[Quantity, ...], Plan] = {}
        self.plan = self._plan_for(self.step + 1)
        """What to measure at the next step."""

    def end(self, measurement: Measurement | None, settings: Settings) -> Plan:
        """After the optimizer's step: take the measurement and plan the next step.

        Args:
            measurement: What the plan asked for; None when there was nothing to measure or it could not be.
            settings: Learning rate and the like as they were during the step, one number per parameter group.

        Returns:
            The plan of the next step, so that the adapter can keep the gradient if that step needs it.
        """
        recorder, plan = self._recorder, self.plan
        self.step += 1
        self._steps_seen += 1
        recorder.step_ended(self.step)
        position = recorder.position()
        if measurement is not None:
            self._queue.append((plan, self.labels, position, measurement))
            for quantity in plan.quantities:
                self._times_measured[quantity.name] = self._times_measured.get(quantity.name, 0) + 1
        if settings and (measurement is not None or settings != self._settings):
            self._settings = settings
            self._settings_queue.append((self.labels, position, settings))
        self._submit()
        if plan.snapshot:
            recorder.snapshot()
        self._account(plan if measurement is not None else Plan())
        self.plan = self._plan_for(self.step + 1)
        return self.plan

    def skip(self) -> None:
        """Count a step that was skipped: it left the weights alone, and there is nothing to measure."""
        self.step += 1
        self._recorder.step_ended(self.step)
        self.plan = self._plan_for(self.step + 1)

    @property
    def is_at_start(self) -> bool:
        """Whether no step has been taken since the recording began."""
        return self._steps_seen == 0

    def intervals(self) -> dict[str, float]:
        """For each quantity, the mean number of steps from one measurement to the next."""
        prefix = self._prefix
        return {prefix + name: self._steps_seen / times for name, times in self._times_measured.items()}

    @property
    def _prefix(self) -> str:
        return f"{self.name}/" if self.name else ""

    # ------------------------------------------------------------------------------------------------- planning

    def _plan_for(self, step: int) -> Plan:
        affordable = self._budget.affordable
        chosen = tuple(
            quantity
            for quantity, schedule in self._recorder.request.quantities.items()
            if (affordable(quantity.cost) if schedule is None else schedule.due(step))
        )
        histograms = self._due(self._histogram_due, step, self._recorder.request.histograms, self._histogram_price)
        snapshot = self._due(self._snapshot_due, step, self._recorder.request.snapshots, self._snapshot_price)
        if histograms:
            self._histogram_due = self._histogram_schedule.next_after(step)
        if snapshot and self._snapshot_schedule is not None:
            self._snapshot_due = self._snapshot_schedule.next_after(step)
        if histograms or snapshot:
            return plan_of(chosen, histograms=HISTOGRAM_KINDS if histograms else (), snapshot=snapshot)
        plan = self._plans.get(chosen)
        if plan is None:
            plan = self._plans[chosen] = plan_of(chosen)
        return plan

    def _due(self, due: int | None, step: int, requested: Schedule | None, price: float) -> bool:
        """Whether something scheduled for `due` happens at `step`: when asked for by the user always, else if paid for."""
        return due is not None and due <= step and (requested is not None or self._budget.can_pay(price))

    # ------------------------------------------------------------------------------------------------- accounting

    def _account(self, plan: Plan) -> None:
        """Tell the budget how long the step took and how much of it was ours."""
        recorder = self._recorder
        now, own = time.perf_counter(), recorder.guard.seconds_so_far()
        if self._ended_at is not None:
            spent = own - self._own_at_end
            bare = max(0.0, now - self._ended_at - spent)
            self.training_seconds += bare
            if plan.histograms or plan.snapshot:
                # Such a step tells nothing of the price of the quantities, so it is charged as a whole.
                self._budget.charge_once(spent)
                self._histogram_price = spent if plan.histograms else self._histogram_price
                self._snapshot_price = spent if plan.snapshot else self._snapshot_price
                spent = 0.0
            self._budget.step_done(bare, plan.passes(), spent)
        self._ended_at, self._own_at_end = now, own
        if self._steps_seen % WRITER_CHARGE_STEPS == 0:
            used = recorder.writer.thread_seconds
            self._budget.charge_fixed((used - self._writer_charged) / len(recorder.sources))
            self._writer_charged = used

    # ------------------------------------------------------------------------------------------------- handing over

    def _submit(self) -> None:
        if not self._submitted and (self._queue or self._settings_queue):
            self._submitted = True
            self._recorder.writer.submit(self._drain)

    def _drain(self) -> Iterator[Row]:
        """On the writer thread: turn everything that waits into rows, those of one plan together."""
        self._submitted = False
        # Plans and labels are kept by the source, so those that are the same object are equal.
        batches: dict[tuple[int, int], list[tuple[Plan, Labels, Position, Measurement]]] = {}
        while self._queue:
            entry = self._queue.popleft()
            batches.setdefault((id(entry[0]), id(entry[1])), []).append(entry)
        for batch in batches.values():
            yield from self._rows(batch)
        while self._settings_queue:
            yield self._settings_row(*self._settings_queue.popleft())

    def _rows(self, batch: list[tuple[Plan, Labels, Position, Measurement]]) -> Iterator[Row]:
        plan, labels = batch[0][:2]
        prefix = self._prefix
        if plan.reductions:
            columns = columns_of(plan, labels, [measurement for *_, measurement in batch])
            named = {prefix + name: column for name, column in columns.items()}
            tensors = {prefix + quantity.name: labels.tensors for quantity in plan.quantities}
            for index, (_, _, position, _) in enumerate(batch):
                values = {name: column[index] for name, column in named.items()}
                yield Row(source="layers", position=position, values=values, labels=tensors)
        for _, _, position, measurement in batch:
            if measurement.histograms is not None:
                yield self._histogram_row(position, labels, measurement.histograms.resolve())

    def _histogram_row(self, position: Position, labels: Labels, tables: Mapping[str, NDArray[np.int64]]) -> Row:
        values: dict[str, NDArray[np.int64]] = {}
        for kind, table in tables.items():
            values[self._prefix + kind] = table[:, :-1]
            values[f"{self._prefix}{kind}/nonfinite"] = table[:, -1]
        return Row(source="histograms", position=position, values=values, labels=dict.fromkeys(values, labels.tensors))

    def _settings_row(self, labels: Labels, position: Position, settings: Settings) -> Row:
        values = {self._prefix + name: np.array(numbers) for name, numbers in settings.items()}
        return Row(source="optimizer", position=position, values=values, labels=dict.fromkeys(values, labels.groups))
