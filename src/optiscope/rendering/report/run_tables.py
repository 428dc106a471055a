"""The tables of one run: its series, configuration, model, optimizer, recording, environment and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optiscope.analysis.thinning import times_measured
from optiscope.analysis.wording import duration
from optiscope.rendering.report.blocks import TableBlock, table
from optiscope.rendering.report.facts import facts
from optiscope.rendering.report.wording import number, share
from optiscope.runs import Run
from optiscope.runs.wording import counted

_MOST_ROWS = 500
"""Rows of a table before the rest is counted instead of listed; a page must open."""


def run_tables(run: Run, prefix: str, *, unfolded: bool) -> tuple[TableBlock, ...]:
    """All tables of `run` that have rows; `prefix` begins their anchors, `unfolded` opens the shorter ones."""
    tables = (
        _series(run, f"{prefix}-series"),
        _configuration(run, f"{prefix}-configuration", unfolded=unfolded),
        _optimizer(run, f"{prefix}-optimizer", unfolded=unfolded),
        _model(run, f"{prefix}-model"),
        _recording(run, f"{prefix}-recording", unfolded=unfolded),
        _environment(run, f"{prefix}-environment"),
        _events(run, f"{prefix}-events"),
    )
    return tuple(each for each in tables if each.rows)


def _series(run: Run, anchor: str) -> TableBlock:
    headings = (
        "series",
        "values a row",
        "rows",
        "first",
        "last",
        "lowest",
        "lowest at step",
        "highest",
        "highest at step",
        "not finite",
    )
    rows = []
    for name in run.names[:_MOST_ROWS]:
        one = facts(run[name])
        rows.append(
            (
                name,
                f"{max(1, one.labels):,}",
                f"{one.rows:,}",
                "" if one.labels else number(one.first),
                "" if one.labels else number(one.last),
                _with_label(one.minimum, one.minimum_label),
                "" if one.minimum_step is None else f"{one.minimum_step:,}",
                _with_label(one.maximum, one.maximum_label),
                "" if one.maximum_step is None else f"{one.maximum_step:,}",
                f"{one.nonfinite:,}",
            )
        )
    return table(anchor, "All series", headings, rows, numeric=headings[1:], note=_rest(len(run.names)))


def _with_label(value: float | None, label: str | None) -> str:
    return number(value) if label is None else f"{number(value)} ({label})"


def _rest(total: int) -> str:
    hidden = total - _MOST_ROWS
    return f"{hidden:,} more are not listed here; optiscope show lists all." if hidden > 0 else ""


def _configuration(run: Run, anchor: str, *, unfolded: bool) -> TableBlock:
    rows = [(key, shown(value)) for key, value in flattened(run.config)]
    if run.tags:
        rows.append(("tags", ", ".join(run.tags)))
    if run.note:
        rows.append(("note", run.note))
    return table(anchor, "Configuration", ("setting", "value"), rows[:_MOST_ROWS], unfolded=unfolded)


def flattened(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as "outer.inner" with their values."""
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def shown(value: object) -> str:
    """A setting as people write it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value)
    return str(value)


def _optimizer(run: Run, anchor: str, *, unfolded: bool) -> TableBlock:
    groups = [
        (str(optimizer.get("name", "")), group, {**group.get("hyperparameters", {})})
        for optimizer in run.optimizers
        for group in optimizer.get("groups", ())
    ]
    keys = list(dict.fromkeys(key for _, _, hyperparameters in groups for key in hyperparameters))
    rows = [
        (
            f"{name}, {group.get('name', '')}",
            f"{len(group.get('parameters', ())):,}",
            *(shown(hyperparameters.get(key, "")) for key in keys),
        )
        for name, group, hyperparameters in groups
    ]
    headings = ("group", "tensors", *(key.replace("_", " ") for key in keys))
    return table(
        anchor,
        "Optimizer",
        headings,
        rows,
        numeric=("tensors",),
        note="As it was when recording began.",
        unfolded=unfolded,
    )


def _model(run: Run, anchor: str) -> TableBlock:
    tensors = list(run.model.get("tensors", ()))
    rows = [
        (
            str(tensor.get("name", "")),
            " × ".join(str(length) for length in tensor.get("shape", ())) or "one number",
            f"{_count(tensor.get('shape', ())):,}",
            str(tensor.get("dtype", "")),
            shown(tensor.get("trainable")),
            shown(tensor.get("in_optimizer")),
        )
        for tensor in tensors[:_MOST_ROWS]
    ]
    headings = ("tensor", "shape", "numbers", "type", "trainable", "in an optimizer")
    title = f"Model: {run.model.get('name', '')}" if run.model.get("name") else "Model"
    return table(anchor, title, headings, rows, numeric=("numbers",), note=_rest(len(tensors)))


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


def _recording(run: Run, anchor: str, *, unfolded: bool) -> TableBlock:
    overhead = run.overhead
    rows = [
        (title, written(overhead[key]))
        for key, title, written in (
            ("fraction", "share of the training time", share),
            ("budget", "budget", lambda budget: "none" if budget is None else share(budget)),
            ("training_seconds", "training time", duration),
            ("training_thread_seconds", "recorder on the training thread", duration),
            ("writer_thread_seconds", "recorder on its own thread", duration),
            ("copies_of_parameters", "copies of the parameters held", number),
        )
        if key in overhead and (overhead[key] is not None or key == "budget")
    ]
    rows += [
        (f"{name} measured", f"{counted(count, 'time')} in {counted(run.steps, 'step')}")
        for name, count in times_measured(run).items()
        if name != "histograms"
    ]
    rows += [(f"histograms of {name}", f"{len(run.histograms(name)):,} times") for name in run.histogram_names]
    if len(run.snapshots):
        rows.append(("snapshots of all parameters", f"{len(run.snapshots):,}"))
    lost = run.losses.sentences()
    rows += [("lost", sentence) for sentence in lost] or [("lost", "nothing")]
    return table(anchor, "Recording: cost, thinning and losses", ("what", "how much"), rows, unfolded=unfolded)


def _environment(run: Run, anchor: str) -> TableBlock:
    rows = [("started", f"{run.started:%Y-%m-%d %H:%M:%S} UTC"), ("status", run.status), ("folder", run.path.name)]
    rows += [(key, shown(value)) for key, value in flattened(run.environment)]
    return table(anchor, "Environment", ("what", "value"), rows)


def _events(run: Run, anchor: str) -> TableBlock:
    rows = [
        (event.kind, f"{event.step:,}", duration(event.seconds), event.message) for event in run.events[:_MOST_ROWS]
    ]
    return table(
        anchor,
        "Events",
        ("event", "step", "time", "message"),
        rows,
        numeric=("step", "time"),
        note=_rest(len(run.events)),
    )
