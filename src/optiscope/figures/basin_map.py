"""Which start ends where."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from optiscope.call_syntax import spell_call
from optiscope.experiments.race.basins import DIVERGED, NOWHERE, BasinMap
from optiscope.figures.colours import blend
from optiscope.figures.landscape import landscape_of
from optiscope.figures.panel import ROW, head
from optiscope.figures.theme import Theme, theme_named, translucent

_NAMED = 8
"""Minima with a colour of their own; the others share one."""


def basin_map(basins: BasinMap, *, contours: bool = True, title: str | None = None, theme: str = "light") -> go.Figure:
    """Each start in the colour of the minimum that it leads to, the minima as stars, under the problem's contours.

    Args:
        basins: result of `optiscope.basin_map`.
        contours: whether to draw contour lines.
        title: in place of the standard one.
        theme: "light" or "dark".
    """
    chosen = theme_named(theme)
    kinds = _kinds(basins, chosen)
    figure = go.Figure(_cells(basins, kinds))
    if contours:
        figure.add_trace(_lines(basins, chosen))
    for name, colour, _ in kinds.values():
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=name, marker={"symbol": "square", "size": 11, "color": colour}
        )
    if len(basins.minima):
        figure.add_scatter(
            x=basins.minima[:, 0],
            y=basins.minima[:, 1],
            mode="markers",
            name="minima",
            marker={
                "symbol": "star",
                "size": 13 if len(basins.minima) <= 12 else 8,
                "color": chosen.text,
                "line": {"width": 1, "color": chosen.background},
            },
            hovertemplate="minimum (%{x:.6g}, %{y:.6g})<extra></extra>",
        )
    told = {name: value for name, value in basins.settings.items() if value not in (None, False, 0)}
    settings = f"{spell_call('', told)[1:-1]}; " if told else ""
    head(
        figure,
        chosen,
        title or f"Basins of {basins.label} on {basins.problem.title}",
        [f"{settings}{basins.steps:,} steps from each of {basins.ends.size:,} starts."],
    )
    figure.update_layout(
        showlegend=True,
        legend={"x": 1.02, "y": 1.0},
        xaxis={"title": {"text": "start x₀"}, "range": _ends(basins.xs), "showgrid": False},
        yaxis={"title": {"text": "start x₁"}, "range": _ends(basins.ys), "showgrid": False},
        height=500 + max(0, len(kinds) - 14) * ROW,
    )
    return figure


def _ends(values: np.ndarray) -> list[float]:
    half = float(values[1] - values[0]) / 2 if len(values) > 1 else 0.5
    return [float(values[0]) - half, float(values[-1]) + half]


def _kinds(basins: BasinMap, theme: Theme) -> dict[int, tuple[str, str, float]]:
    """For each end that occurs its name with its share, its colour, and its number in the heat map."""
    counts = {end: int((basins.ends == end).sum()) for end in np.unique(basins.ends).tolist()}
    order = sorted((end for end in counts if end >= 0), key=lambda end: -counts[end])
    named, rest = order[:_NAMED], order[_NAMED:]
    colours = {end: _soft(colour, theme) for end, colour in zip(sorted(named), theme.palette, strict=False)}
    kinds: dict[int, tuple[str, str, float]] = {}
    total = basins.ends.size
    for end in sorted(named):
        x, y = basins.minima[end]
        label = f"({x:.3g}, {y:.3g})".replace("-", "−")
        kinds[end] = (f"{label}  {_share(counts[end], total)}", colours[end], float(len(kinds)))
    if rest:
        share = _share(sum(counts[end] for end in rest), total)
        entry = (f"{len(rest)} other minima  {share}", theme.grid, float(len(kinds)))
        kinds.update(dict.fromkeys(rest[:1], entry))
    for end, name, colour in (
        (NOWHERE, f"at no minimum after {basins.steps:,} steps", theme.absent),
        (DIVERGED, "diverges", theme.not_finite),
    ):
        if end in counts:
            kinds[end] = (f"{name}  {_share(counts[end], total)}", _soft(colour, theme), float(len(kinds)))
    return kinds


def _soft(colour: str, theme: Theme) -> str:
    """Whole areas need less colour than lines do."""
    return blend(colour, theme.background, 0.62)


def _share(count: int, total: int) -> str:
    share = 100 * count / total
    return f"{share:.0f} %" if share >= 1 or count == 0 else "< 1 %"


def _cells(basins: BasinMap, kinds: dict[int, tuple[str, str, float]]) -> go.Heatmap:
    others = next((number for end, (name, _, number) in kinds.items() if "other minima" in name), np.nan)
    numbers = np.full(basins.ends.shape, others, dtype=np.float64)
    for end, (_, _, number) in kinds.items():
        numbers[basins.ends == end] = number
    count = len(kinds)
    colours = [colour for _, colour, _ in kinds.values()]
    scale = [[edge / count, colour] for place, colour in enumerate(colours) for edge in (place, place + 1)]
    return go.Heatmap(
        x=basins.xs,
        y=basins.ys,
        z=numbers,
        text=_texts(basins),
        zmin=-0.5,
        zmax=count - 0.5,
        colorscale=scale,
        showscale=False,
        hovertemplate="from (%{x:.4g}, %{y:.4g})<br>%{text}<extra></extra>",
    )


def _texts(basins: BasinMap) -> list[list[str]]:
    special = {DIVERGED: "diverges", NOWHERE: f"at no minimum after {basins.steps:,} steps"}
    places = [f"to ({x:.4g}, {y:.4g})" for x, y in basins.minima.tolist()]
    return [
        [
            special.get(end, "") or places[end] + (f", {steps:,.0f} steps" if np.isfinite(steps) else "")
            for end, steps in zip(row, when, strict=True)
        ]
        for row, when in zip(basins.ends.tolist(), basins.steps_to_end.tolist(), strict=True)
    ]


def _lines(basins: BasinMap, theme: Theme) -> go.Contour:
    area = ((float(basins.xs[0]), float(basins.xs[-1])), (float(basins.ys[0]), float(basins.ys[-1])))
    ground = landscape_of(basins.problem, area)
    return go.Contour(
        x=ground.xs,
        y=ground.ys,
        z=ground.ranks().astype(np.float32),
        contours={"start": 0, "end": len(ground.levels) - 1, "size": 1, "coloring": "none"},
        line={"width": 0.6, "color": translucent(theme.text, 0.35)},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )
