"""A plotly figure as plain data: arrays decoded, the template merged into every part, as plotly.js would do it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from optiscope.rendering.printing.part import Part

_TEMPLATE_FOR_ABSENT_PARTS = frozenset(
    {"polar", "ternary", "geo", "map", "mapbox", "smith", "sliderdefaults", "updatemenudefaults", "imagedefaults",
     "selectiondefaults", "newshape", "newselection"}
)  # fmt: skip
"""Parts of a template that style what the printer refuses anyway; a template may carry them unused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """Everything that a figure says."""

    traces: tuple[Part, ...]
    """One part per trace, in drawing order, template merged."""
    layout: Part
    """The layout, template merged except for the numbered parts (axes, scenes, ...): see `numbered`."""
    template: Part
    """The layout of the template."""
    own_layout: Part
    """The layout as the figure itself sets it."""
    moving_parts: tuple[str, ...]
    """Which of "frames", "sliders" and "updatemenus" the figure has."""

    def numbered(self, kind: str, name: str) -> Part:
        """The part `name`, such as "xaxis2", of a kind that the template styles under the name `kind`, "xaxis"."""
        base, own = self.template.raw(kind), self.own_layout.raw(name)
        return Part(name, merge(base if isinstance(base, Mapping) else {}, own if isinstance(own, Mapping) else {}))

    def items(self, kind: str) -> list[Part]:
        """The parts of a list such as "annotations", each with the template's defaults for that kind."""
        defaults = self.template.raw(f"{kind.removesuffix('s')}defaults")
        base = defaults if isinstance(defaults, Mapping) else {}
        return [Part(item.name, merge(base, item.properties)) for item in self.own_layout.parts(kind)]


def specification_of(figure: go.Figure) -> Specification:
    """Read a figure into plain data."""
    content = decode(figure.to_plotly_json())
    assert isinstance(content, dict)
    own = dict(content.get("layout") or {})
    template = _template(own.pop("template", None))
    styles = template.get("layout") or {}
    styles = {key: value for key, value in styles.items() if key not in _TEMPLATE_FOR_ABSENT_PARTS}
    styles_of_traces: Mapping[str, list[Mapping[str, object]]] = template.get("data") or {}  # type: ignore[assignment]
    of_type: Counter[str] = Counter()
    traces = []
    for position, trace in enumerate(content.get("data") or ()):
        kind = str(trace.get("type", "scatter"))
        candidates = styles_of_traces.get(kind) or [{}]
        merged = merge(candidates[of_type[kind] % len(candidates)], trace)
        of_type[kind] += 1
        label = repr(trace["name"]) if trace.get("name") else f"number {position + 1}"
        traces.append(Part(f"{kind} trace {label}", merged))
    moving = [name for name in ("sliders", "updatemenus") if own.get(name)]
    if content.get("frames"):
        moving.insert(0, "frames")
    return Specification(
        traces=tuple(traces),
        layout=Part("layout", merge(styles, own)),
        template=Part("template", styles),
        own_layout=Part("layout", own),
        moving_parts=tuple(moving),
    )


def decode(value: object) -> object:
    """Turn plotly's base64 typed arrays into NumPy arrays, and tuples into lists, at any depth."""
    match value:
        case {"bdata": data, "dtype": kind, **rest}:
            flat = np.frombuffer(base64.b64decode(str(data)), dtype=np.dtype(str(kind)).newbyteorder("<"))
            shape = rest.get("shape")
            return flat if shape is None else flat.reshape([int(length) for length in str(shape).split(",")])
        case Mapping():
            return {key: decode(item) for key, item in value.items()}
        case list() | tuple():
            return [decode(item) for item in value] if _holds_parts(value) else list(value)
        case _:
            return value


def merge(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """`own` over `base`, part by part; an attribute set to None counts as not set."""
    merged = dict(base)
    for key, value in own.items():
        if value is None:
            continue
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _holds_parts(items: list[object] | tuple[object, ...]) -> bool:
    return any(isinstance(item, Mapping | list | tuple) for item in items[:1])


def _template(value: object) -> dict[str, dict[str, object]]:
    if isinstance(value, str):
        import plotly.io as pio

        value = decode(pio.templates[value].to_plotly_json())
    return dict(value) if isinstance(value, Mapping) else {}
