"""Figures that a page draws when they come near the window, in the colours of the reader's system.

A figure is in the page once, as JSON in light colours; what differs in dark colours is beside it as a list of
replacements, and the two themes' templates are in the page once for all figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from optiscope.figures.theme import Theme, theme_named
from optiscope.rendering.html import inert, plain_title

if TYPE_CHECKING:
    import plotly.graph_objects as go

_DEFAULT_HEIGHT = 450


def lazy_figure(identifier: str, light: go.Figure, dark: go.Figure | None = None) -> Markup:
    """The piece of a page that will show a figure; `report.js` draws it. Without `dark` it is light everywhere.

    A figure that moves may have its frames, slider and buttons in `light` only. Its frames are the same in both themes.
    """
    plain = _without_template(light)
    replacements: list[tuple[list[str | int], Any]] = []
    if dark is not None:
        second = _without_template(dark)
        if plain.get("frames") and not second.get("frames"):
            _lend_controls(plain, second)
        replacements = list(differences(plain, second))
    height = light.layout.height or _DEFAULT_HEIGHT
    return Markup(
        '<div class="lazy-figure" id="{id}-plot" role="group" aria-label="{label}" '
        'style="min-height: {height}px"></div>\n'
        '<script type="application/json" id="{id}-plot-data">{data}</script>'
    ).format(
        id=identifier,
        label=plain_title(light),
        height=round(height),
        data=_inert_json({"figure": plain, "dark": replacements}),
    )


def _lend_controls(light: dict[str, Any], dark: dict[str, Any]) -> None:
    """Give the dark figure the frames of the light one, and its slider and buttons in dark colours."""
    dark["frames"] = light["frames"]
    pairs = dict(zip(*(_colours(theme_named(name)) for name in ("light", "dark")), strict=True))
    for key in ("sliders", "updatemenus"):
        if key in light["layout"]:
            dark["layout"][key] = _recoloured(light["layout"][key], pairs)
    # Below the axes is the room for them.
    if "margin" in light["layout"]:
        dark["layout"]["margin"] = light["layout"]["margin"]


def _colours(theme: Theme) -> tuple[str, ...]:
    return (theme.background, theme.text, theme.muted, theme.grid)


def _recoloured(value: Any, pairs: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _recoloured(item, pairs) for key, item in value.items()}
    if isinstance(value, list):
        return [_recoloured(item, pairs) for item in value]
    return pairs.get(value, value) if isinstance(value, str) else value


def templates_json() -> Markup:
    """The templates of both themes, for the page."""
    import plotly.graph_objects as go

    empty = {name: go.Figure(layout={"template": theme_named(name).template}) for name in ("light", "dark")}
    return _inert_json({name: json.loads(figure.to_json())["layout"]["template"] for name, figure in empty.items()})


def _without_template(figure: go.Figure) -> dict[str, Any]:
    """The figure as plain JSON values; NaN and infinity become null, which is drawn as a gap."""
    plain: dict[str, Any] = json.loads(figure.to_json())
    plain.get("layout", {}).pop("template", None)
    return plain


def differences(
    first: object, second: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[list[str | int], Any]]:
    """The replacements that turn `first` into `second`: where, and the value there; null removes it.

    Both are JSON values. Lists of unequal length are replaced as a whole.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        for key in first.keys() | second.keys():
            if key not in second:
                yield [*path, key], None
            elif key not in first:
                yield [*path, key], second[key]
            else:
                yield from differences(first[key], second[key], (*path, key))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from differences(one, other, (*path, index))
    elif first != second:
        yield list(path), second


def _inert_json(value: object) -> Markup:
    return Markup(inert(json.dumps(value, separators=(",", ":"), allow_nan=False)))
