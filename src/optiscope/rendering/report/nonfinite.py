"""What can be said of NaN and infinity in a run whose gradients were measured at some steps only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optiscope.analysis.wording import listed
from optiscope.runs import Event, Run, Series
from optiscope.runs.wording import counted

_KINDS = ("nonfinite-gradient", "nonfinite-metric")
_EVERY_STEP = 'watch(quantities={"gradient_nonfinite": osc.every(1)}) measures every step'


def noted(run: Run) -> tuple[Event, ...]:
    """The first event of each kind about something that is not finite, for metrics of each metric."""
    first: dict[tuple[str, str], Event] = {}
    for event in run.events:
        if event.kind in _KINDS:
            first.setdefault((event.kind, str(event.details.get("metric", ""))), event)
    return tuple(first.values())


def note_sentence(event: Event) -> str:
    """What the recorder noted while the training ran."""
    return f"Noted while training, at step {event.step:,}: {event.message}"


def gradient_sentences(gradients: Sequence[Series]) -> Iterator[str]:
    """For each of the series `gradient_nonfinite` that is above zero somewhere: when and where it first was."""
    for series in gradients:
        rows = np.flatnonzero((series.values > 0).any(axis=1))
        if len(rows):
            yield _first(series, int(rows[0]))


def _first(series: Series, row: int) -> str:
    above = series.values[row] > 0
    where = listed([label for label, is_above in zip(series.labels, above, strict=True) if is_above])
    step = int(series.steps[row])
    before = int(series.steps[row - 1]) if row else 0
    if step - before <= 1:
        return f"The first gradient that is not finite was recorded at step {step:,}, in {where}."
    if row == 0:
        return (
            f"The first gradient that is not finite came at or before step {step:,}, the first that was measured, "
            f"where it was in {where}; {_EVERY_STEP}."
        )
    return (
        f"The first gradient that is not finite came between step {before:,} (the last measured one that was finite) "
        f"and step {step:,}, where it was in {where}; {_EVERY_STEP}."
    )


def clean_sentence(run: Run, gradients: Sequence[Series], *, metrics: int) -> str:
    """That nothing was NaN or infinite, with how much was looked at."""
    steps = {int(step) for series in gradients for step in series.steps}
    seen = sum(int(np.isfinite(series.values).sum()) for series in gradients)
    looked = f"the {counted(seen, 'gradient')} measured at {len(steps):,} of {counted(run.steps, 'step')}"
    if not seen:
        return "No NaN and no infinity was recorded in a metric; whether gradients were finite was not measured."
    if not metrics:
        return f"No NaN and no infinity was recorded in {looked}."
    return f"No NaN and no infinity was recorded in a metric or in {looked}."
