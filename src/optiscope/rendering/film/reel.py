"""A moving figure as a row of still ones: what each of its frames shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from optiscope.errors import ArgumentError
from optiscope.rendering.printing.axis import finite_numbers
from optiscope.rendering.printing.part import Part
from optiscope.rendering.printing.specification import Specification, decode, merge, specification_of

_JOINED = frozenset({"scatter", "scattergl", "scatter3d", "bar"})
"""Traces whose columns can be put end to end, to find what all states together need to show."""
_IDLE = frozenset({"type", "uid"})
"""A trace of which a frame says no more than this stays as it is; plotly.js needs to be told to draw it again."""
_RULED = {"heatmap": "z", "contour": "z", "surface": "c"}
"""Traces that are coloured by a grid, and the letter of the ends of their colour scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel:
    """Every state of a figure with frames, in their order."""

    states: tuple[Specification, ...]
    """The figure after each frame. A frame changes what the frames before it have left, as in the browser."""
    moving: frozenset[int]
    """Places of the traces that a frame changes."""
    changing: frozenset[str]
    """Names of the parts of the layout that a frame changes, such as "title"."""
    together: Specification
    """The figure with the data of all states at once: from it come the axes, which stand still through the film."""
    readings: tuple[str, ...]
    """What the slider says in each state, such as "Step 7", or its label there; empty without a slider."""


def reel_of(figure: go.Figure) -> Reel:
    """Read a figure with frames.

    Raises:
        ArgumentError: the figure has no frames, or one of them names a trace that the figure does not have.
    """
    first = specification_of(figure)
    content = decode(figure.to_plotly_json())
    assert isinstance(content, dict)
    frames: list[Mapping[str, object]] = list(content.get("frames") or ())
    if not frames:
        raise ArgumentError(
            "Films (.gif, .mp4) need a figure that moves, and this one has no frames. "
            "Save it as .png, .svg, .pdf, .html or .json instead."
        )
    states = list(_states(first, frames))
    moving = frozenset(
        number for state in states for number, trace in enumerate(state.traces) if trace is not first.traces[number]
    )
    states = _with_fixed_colours(states, moving)
    return Reel(
        states=tuple(states),
        moving=moving,
        changing=frozenset(key for frame in frames for key in _mapping(frame.get("layout"))),
        together=_together(states, moving),
        readings=_readings(first, frames),
    )


def _states(first: Specification, frames: Sequence[Mapping[str, object]]) -> Iterator[Specification]:
    state = first
    for frame in frames:
        traces = list(state.traces)
        for number, change in _changes(first, frame):
            if any(key not in _IDLE for key in change):
                traces[number] = Part(traces[number].name, merge(traces[number].properties, change))
        own = _merge_layout(state.own_layout.properties, _mapping(frame.get("layout")))
        state = replace(
            state,
            traces=tuple(traces),
            own_layout=Part("layout", own),
            layout=Part("layout", merge(first.template.properties, own)),
        )
        yield state


def _changes(first: Specification, frame: Mapping[str, object]) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The places of the traces that a frame changes, and what it gives them."""
    data = frame.get("data")
    listed = list(data) if isinstance(data, Sequence) else []
    given = frame.get("traces")
    places = [int(place) for place in given] if isinstance(given, Sequence | np.ndarray) else range(len(listed))
    for place, change in zip(places, listed, strict=False):
        if not 0 <= place < len(first.traces):
            raise ArgumentError(
                f"Frame {frame.get('name')!r} changes trace {place}, and the figure has {len(first.traces)} traces, "
                f"counted from 0. Give the frame's traces by their places in the figure. Received: traces={place}."
            )
        yield place, _mapping(change)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _merge_layout(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """The layout with the changes of a frame; lists such as the annotations are changed item by item."""
    merged = merge(base, own)
    for key, value in own.items():
        below = base.get(key)
        if isinstance(value, list) and isinstance(below, list) and all(isinstance(item, Mapping) for item in value):
            joined = [merge(_mapping(old), new) for old, new in zip(below, value, strict=False)]
            merged[key] = joined + value[len(below) :] + below[len(value) :]
    return merged


def _with_fixed_colours(states: list[Specification], moving: frozenset[int]) -> list[Specification]:
    """Colour scales that would follow the data of each state span the data of all."""
    fixed: dict[int, dict[str, object]] = {}
    for number in moving:
        change: dict[str, object] = {}
        for path, letter, values in _coloured(states[-1].traces[number]):
            part = states[-1].traces[number] if not path else states[-1].traces[number].part(path)
            if part.text("coloraxis") or (
                part.raw(f"{letter}min") is not None and part.raw(f"{letter}max") is not None
            ):
                continue
            columns = [state.traces[number].column(values) for state in states]
            every = [finite_numbers(column).ravel() for column in columns if column is not None]
            joined = np.concatenate(every) if every else np.empty(0)
            if np.isfinite(joined).any():
                ends = {f"{letter}min": float(np.nanmin(joined)), f"{letter}max": float(np.nanmax(joined))}
                change = merge(change, {path: ends} if path else ends)
        if change:
            fixed[number] = change
    if not fixed:
        return states
    return [
        replace(
            state,
            traces=tuple(
                Part(trace.name, merge(fixed[number], trace.properties)) if number in fixed else trace
                for number, trace in enumerate(state.traces)
            ),
        )
        for state in states
    ]


def _coloured(trace: Part) -> Iterator[tuple[str, str, str]]:
    """Where a trace says how numbers become colours, the letter of that scale, and the path of the numbers."""
    letter = _RULED.get(trace.text("type", "scatter"))
    if letter is not None:
        yield "", letter, "surfacecolor" if trace.raw("surfacecolor") is not None else "z"
    for path in ("marker", "line"):
        column = trace.column(f"{path}.color")
        if column is not None and not any(isinstance(item, str) for item in list(column)):
            yield path, "c", f"{path}.color"


def _together(states: Sequence[Specification], moving: frozenset[int]) -> Specification:
    last = states[-1]
    traces = list(last.traces)
    for number in moving:
        versions = [state.traces[number] for state in states]
        seen = [version for version in versions if version.raw("visible") in (None, True)]
        properties = dict((seen or versions)[-1].properties)
        if str(properties.get("type", "scatter")) in _JOINED:
            for letter in "xyz":
                columns = [column for version in seen if (column := version.column(letter)) is not None]
                if columns:
                    properties[letter] = _joined(columns)
            if "mode" not in properties and properties.get("type", "scatter") in ("scatter", "scattergl"):
                # Few points have markers by default; all states together would no longer be few.
                longest = max((len(version.column("y") or ()) for version in versions), default=0)
                properties["mode"] = "lines+markers" if longest < 20 else "lines"
        traces[number] = Part(last.traces[number].name, properties)
    return replace(last, traces=tuple(traces))


def _joined(columns: Sequence[Sequence[object] | np.ndarray]) -> Sequence[object] | np.ndarray:
    arrays = [np.asarray(column) for column in columns]
    if all(array.dtype.kind in "fiu" for array in arrays):
        return np.concatenate(arrays)
    return [item for column in columns for item in column]


def _readings(first: Specification, frames: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    sliders = first.own_layout.parts("sliders")
    if not sliders or not sliders[0].flag("visible", default=True):
        return ()
    slider = sliders[0]
    said = slider.flag("currentvalue.visible", default=True)
    prefix, suffix = slider.text("currentvalue.prefix"), slider.text("currentvalue.suffix")
    steps = slider.parts("steps")
    by_name: dict[str, str] = {}
    for step in steps:
        arguments = step.column("args")
        target = arguments[0] if arguments is not None and len(arguments) else None
        names = target if isinstance(target, list) else [target]
        by_name.update({str(name): step.text("label") for name in names if isinstance(name, str)})
    readings: list[str] = []
    for number, frame in enumerate(frames):
        label = by_name.get(str(frame.get("name")))
        if label is None and len(steps) == len(frames) and not by_name:
            label = steps[number].text("label")
        before = readings[-1] if readings else ""
        readings.append(before if label is None else f"{prefix}{label}{suffix}" if said else label)
    return tuple(readings)
