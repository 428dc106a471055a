"""A run in words: what was trained, how it went, what stands out, what recording cost and what was lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from optiscope.analysis.thinning import thinning_sentence
from optiscope.analysis.wording import duration, listed, percent
from optiscope.figures.metrics import metric_names
from optiscope.figures.update_ratio import HEALTHY
from optiscope.rendering.report.facts import facts
from optiscope.rendering.report.nonfinite import clean_sentence, gradient_sentences, note_sentence, noted
from optiscope.rendering.report.wording import number, setting
from optiscope.runs import Run, Series
from optiscope.runs.wording import counted

Kind = Literal["fact", "notice", "warning"]

_FRAMEWORKS = {"pytorch": "PyTorch", "keras": "Keras", "paddle": "PaddlePaddle", "numpy": "NumPy"}
_SPIKE = 10.0
"""A gradient norm is called a spike from this many medians."""
_ROWS_TO_HALVE = 10
"""With fewer rows their second half says too little about the end of training."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence about a run."""

    kind: Kind
    """"warning" for damage, failure and what is not finite, "notice" for what stands out, "fact" for the rest."""
    text: str
    """The sentence."""


def statements(run: Run) -> tuple[Statement, ...]:
    """Describe `run` in sentences computed from its records; what stands out is said with its number."""
    return (
        Statement(kind="fact", text=_what(run)),
        *_end(run),
        *_metrics(run),
        *_nonfinite(run),
        *_standing_out(run),
        *_recording(run),
        *(Statement(kind="warning", text=sentence) for sentence in run.losses.sentences()),
    )


def named(run: Run, name: str) -> tuple[str, ...]:
    """All series of the quantity `name`: one, or with several optimizers one for each."""
    return tuple(each for each in run.names if each == name or each.endswith(f"/{name}"))


# -------------------------------------------------------------------------------------------------- what and how far


def _what(run: Run) -> str:
    model, optimizers = run.model, optimizer_names(run.optimizers)
    parameters = model.get("parameters")
    framework = str(model.get("framework", ""))
    details = [_FRAMEWORKS.get(framework, framework)] if framework else []
    if isinstance(parameters, int):
        details.append(counted(parameters, "parameter"))
    subject = str(model.get("name") or "A model") + (f" ({', '.join(details)})" if details else "")
    means = f" with {listed(optimizers)}" if optimizers else ""
    amounts = [
        counted(round(amount), noun) if float(amount).is_integer() else f"{number(amount)} {noun}s"
        for noun, amount in _reached(run)
    ]
    extent = f" ({listed(amounts)})" if amounts else ""
    return f"{subject} was trained{means} for {counted(run.steps, 'step')}{extent} in {duration(run.seconds)}."


def optimizer_names(optimizers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each optimizer with the learning rates of its groups at the start: "Adam (learning rate 0.003)"."""
    return [text for each in optimizers if (text := _optimizer_name(each))]


def _optimizer_name(optimizer: Mapping[str, Any]) -> str:
    settings = [group.get("hyperparameters", {}) for group in optimizer.get("groups", ())]
    rates = [each.get("learning_rate", each.get("lr")) for each in settings]
    numbers = list(dict.fromkeys(setting(rate) for rate in rates if isinstance(rate, int | float)))
    suffix = f" (learning rate {listed(numbers)})" if numbers else ""
    return f"{optimizer['name']}{suffix}" if optimizer.get("name") else ""


def _reached(run: Run) -> Iterator[tuple[str, float]]:
    """Epochs and samples at the last row that named them."""
    for noun in ("epoch", "sample"):
        columns = [run[name].epochs if noun == "epoch" else run[name].samples for name in metric_names(run)]
        last = [
            float(column[np.isfinite(column)][-1])
            for column in columns
            if column is not None and np.isfinite(column).any()
        ]
        if last:
            yield noun, max(last)


def _end(run: Run) -> Iterator[Statement]:
    match run.status:
        case "running":
            yield Statement(kind="notice", text=f"It is still running: this is how it stood at step {run.steps:,}.")
        case "failed":
            causes = [event.message for event in run.events if event.kind == "exception"]
            reason = f": {causes[-1]}" if causes else ", and did not say why."
            yield Statement(kind="warning", text=f"It ended with an exception after step {run.steps:,}{reason}")
        case "terminated":
            yield Statement(kind="warning", text=f"It was interrupted (Ctrl-C or a signal) after step {run.steps:,}.")
        case "crashed":
            yield Statement(
                kind="warning",
                text="Its process ended without closing the run (killed, or the machine went down) after step "
                f"{run.steps:,}.",
            )


def _metrics(run: Run) -> Iterator[Statement]:
    for name in metric_names(run):
        one = facts(run[name])
        if one.recent is None or one.minimum is None or one.maximum is None:
            continue
        if one.rows == 1:
            yield Statement(kind="fact", text=f"{name} was logged once: {number(one.last)} at step {one.last_step:,}.")
            continue
        end = number(one.recent)
        how = f"mean of the last {one.averaged:,} values" if one.averaged > 1 else f"step {one.last_step:,}"
        yield Statement(
            kind="fact",
            text=(
                f"{name} went from {number(one.first)} (step {one.first_step:,}) to {end} ({how}); "
                f"lowest {number(one.minimum)} at step {one.minimum_step:,}, "
                f"highest {number(one.maximum)} at step {one.maximum_step:,}."
            ),
        )


# ------------------------------------------------------------------------------------------------- what stands out


def _nonfinite(run: Run) -> Iterator[Statement]:
    warnings = [note_sentence(event) for event in noted(run)]
    metrics = metric_names(run)
    for name in metrics:
        one = facts(run[name])
        if one.nonfinite:
            warnings.append(
                f"{name} is NaN or infinite in {one.nonfinite:,} of its {one.rows:,} values, first at step "
                f"{one.first_nonfinite_step:,}."
            )
    gradients = [run[name] for name in named(run, "gradient_nonfinite")]
    warnings += gradient_sentences(gradients)
    yield from (Statement(kind="warning", text=text) for text in warnings)
    if not warnings and run.names:
        yield Statement(kind="fact", text=clean_sentence(run, gradients, metrics=len(metrics)))


def _standing_out(run: Run) -> Iterator[Statement]:
    yield from (statement for name in named(run, "step_skipped") for statement in _skipped(run[name]))
    yield from (statement for name in named(run, "gradient_norm/global") for statement in _spike(run[name]))
    yield from (statement for name in named(run, "update_ratio") for statement in _ratios(run[name]))
    yield from (statement for name in named(run, "distance_from_start") for statement in _unmoved(run[name]))


def _skipped(series: Series) -> Iterator[Statement]:
    skipped = int(np.nansum(series.values))
    if skipped:
        yield Statement(
            kind="notice",
            text=f"{counted(skipped, 'step')} did not change the weights (skipped by the gradient scaler).",
        )


def _spike(series: Series) -> Iterator[Statement]:
    finite = np.isfinite(series.values)
    if finite.sum() < 20:
        return
    typical = float(np.median(series.values[finite]))
    top = int(np.argmax(np.where(finite, series.values, -np.inf)))
    if typical > 0 and series.values[top] > _SPIKE * typical:
        times = series.values[top] / typical
        yield Statement(
            kind="notice",
            text=f"The largest gradient norm, {number(float(series.values[top]))} at step "
            f"{int(series.steps[top]):,}, is {times:,.0f} times the median.",
        )


def _ratios(series: Series) -> Iterator[Statement]:
    finite = np.isfinite(series.values)
    rows = np.flatnonzero(finite.any(axis=1))
    if not len(rows):
        return
    halved = len(rows) >= _ROWS_TO_HALVE
    used = rows[len(rows) // 2 :] if halved else rows
    typical = [
        (label, float(np.median(column[np.isfinite(column)])))
        for label, column in zip(series.labels, series.values[used].T, strict=True)
        if np.isfinite(column).any()
    ]
    # A tensor that never has a gradient has no ratio at any row, which is no reason to call rows broken.
    broken = int((~finite)[:, finite.any(axis=0)].any(axis=1).sum())
    how = f"median over {'the second half,' if halved else 'all'} {counted(len(used), 'measurement')}"
    how += f"; what is not finite in {counted(broken, 'measurement')} is left out" if broken else ""
    low, high = HEALTHY
    outside = [(label, ratio) for label, ratio in typical if ratio > high or 0 < ratio < low]
    band = f"{setting(low)} to {setting(high)}"
    if outside:
        outside.sort(key=lambda pair: -abs(math.log10(pair[1] / math.sqrt(low * high))))
        examples = listed([f"{label} {number(ratio)}" for label, ratio in outside])
        yield Statement(
            kind="notice",
            text=f"The update/weight ratio of {len(outside)} of {counted(len(typical), 'tensor')} lies outside {band} "
            f"({how}): {examples}.",
        )
    else:
        yield Statement(kind="fact", text=f"The update/weight ratio of every tensor lies within {band} ({how}).")


def _unmoved(series: Series) -> Iterator[Statement]:
    if not len(series):
        return
    still = [label for label, distance in zip(series.labels, series.values[-1], strict=True) if distance == 0]
    if still:
        yield Statement(
            kind="notice",
            text=f"{counted(len(still), 'tensor')} ended exactly where {'it' if len(still) == 1 else 'they'} began: "
            f"{listed(still)}.",
        )


# ------------------------------------------------------------------------------------------------------- recording


def _recording(run: Run) -> Iterator[Statement]:
    overhead = run.overhead
    fraction, budget = overhead.get("fraction"), overhead.get("budget")
    if isinstance(fraction, int | float):
        allowed = f", with a budget of {percent(budget)}" if isinstance(budget, int | float) else ", without a budget"
        seconds = overhead.get("training_seconds")
        base = f" ({duration(seconds)})" if isinstance(seconds, int | float) else ""
        yield Statement(
            kind="fact",
            text=f"Recording took {percent(fraction)} of the training time{base}{allowed}; both threads are counted.",
        )
    if sentence := thinning_sentence(run, most=4):
        yield Statement(kind="fact", text=sentence)
