"""How figures look: two themes, light and dark, that differ in nothing but colour."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
import plotly.io as pio

from optiscope.errors import UnknownName

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

Scale = tuple[tuple[float, str], ...]
"""A colour scale: positions from 0 to 1 with their colours."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of one theme."""

    name: str
    """"light" or "dark"."""
    background: str
    """Behind everything."""
    text: str
    """Titles and labels."""
    muted: str
    """Subtitles, axis lines and whatever should stand back."""
    grid: str
    """Grid lines."""
    palette: tuple[str, ...]
    """Eight colours for runs and groups, told apart with and without colour blindness, 3:1 against the background."""
    sequential: Scale
    """For quantities from little to much; evenly spaced in perceived lightness."""
    legible: tuple[float, float]
    """Part of `sequential` that stands out from the background as a thin line or a small mark."""
    diverging: Scale
    """For quantities around zero; the middle is near the background."""
    not_finite: str
    """Marks and cells of NaN and infinity; in no colour scale."""
    absent: str
    """Cells that have no value because there was nothing to measure."""
    band: str
    """Shading of the range in which a quantity is healthy."""

    @property
    def template(self) -> str:
        """Name under which plotly knows the theme's template."""
        return f"optiscope-{self.name}"


# Viridis, by Smith and van der Walt (2015), dedicated to the public domain (CC0).
_VIRIDIS = tuple(
    zip(
        (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0),
        ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"),
        strict=True,
    )
)

_THEMES = {
    "light": Theme(
        name="light",
        background="#ffffff",
        text="#1b2330",
        muted="#5c6675",
        grid="#e6e9ee",
        # Hues after Okabe and Ito; lightness moved until simulated protanopes and deuteranopes tell every pair apart.
        palette=("#1e68d8", "#751800", "#089d6a", "#853075", "#c18b02", "#499bd7", "#a55c24", "#878998"),
        sequential=_VIRIDIS,
        legible=(0.0, 0.82),
        diverging=((0.0, "#0b4fa0"), (0.25, "#78a8d8"), (0.5, "#f5f5f3"), (0.75, "#dd9a63"), (1.0, "#9a4300")),
        not_finite="#ff0033",
        absent="#c9ced6",
        band="rgba(8, 157, 106, 0.13)",
    ),
    "dark": Theme(
        name="dark",
        background="#14181f",
        text="#e7ebf1",
        muted="#9aa5b4",
        grid="#2a313c",
        palette=("#2996ec", "#ca621e", "#6dedae", "#b85987", "#f4c942", "#8cd2fd", "#cb8b69", "#b8bac2"),
        sequential=_VIRIDIS,
        legible=(0.3, 1.0),
        diverging=((0.0, "#7cc0ff"), (0.25, "#3a6da3"), (0.5, "#20262f"), (0.75, "#a3622b"), (1.0, "#ffb066")),
        not_finite="#e0305a",
        absent="#4a5361",
        band="rgba(109, 237, 174, 0.13)",
    ),
}


def theme_named(name: str) -> Theme:
    """The theme "light" or "dark". Raises `UnknownName` for any other."""
    if name not in _THEMES:
        raise UnknownName.among(name, _THEMES, kind="theme")
    return _THEMES[name]


def scale_list(scale: Scale) -> list[list[object]]:
    """A colour scale in the form that plotly takes."""
    return [[position, colour] for position, colour in scale]


def translucent(colour: str, opacity: float) -> str:
    """A colour "#rrggbb" with an opacity from 0 to 1."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def _template(theme: Theme) -> go.layout.Template:
    axis = {
        "automargin": True,
        "gridcolor": theme.grid,
        "linecolor": theme.muted,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": theme.muted,
        "tickfont": {"size": 12, "color": theme.text},
        "title": {"font": {"size": 13, "color": theme.text}, "standoff": 8},
        "exponentformat": "power",
    }
    space = {
        "backgroundcolor": theme.background,
        "gridcolor": theme.grid,
        "linecolor": theme.muted,
        "zerolinecolor": theme.grid,
        "tickfont": {"size": 11, "color": theme.text},
        "title": {"font": {"size": 12, "color": theme.text}},
    }
    bar = {
        "title": {"font": {"size": 12, "color": theme.text}},
        "tickfont": {"size": 11, "color": theme.text},
        "outlinewidth": 0,
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": theme.muted,
        "thickness": 14,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "title": {
                "font": {"size": 17, "color": theme.text},
                "subtitle": {"font": {"size": 12, "color": theme.muted}},
            },
            "paper_bgcolor": theme.background,
            "plot_bgcolor": theme.background,
            "colorway": list(theme.palette),
            "colorscale": {
                "sequential": scale_list(theme.sequential),
                "diverging": scale_list(theme.diverging),
            },
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": space, "yaxis": space, "zaxis": space},
            "hoverlabel": {"font": {"family": FONT, "size": 12}, "namelength": -1},
            "legend": {
                "font": {"size": 12},
                "itemsizing": "constant",
                "tracegroupgap": 0,
                "bgcolor": "rgba(0, 0, 0, 0)",
            },
            "margin": {"l": 70, "r": 28, "t": 60, "b": 54},
        },
        data={
            "heatmap": [{"colorbar": bar}],
            "scatter": [{"marker": {"colorbar": bar}}],
            "scatter3d": [{"marker": {"colorbar": bar}}],
        },
    )


# Registered under names of our own; plotly's default template stays what the user made it.
for _theme in _THEMES.values():
    pio.templates[_theme.template] = _template(_theme)
