"""Small figures that move."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from optiscope.figures.theme import theme_named

STEPS = 12


def flat(*, theme: str = "light", slider: bool = True, steps: int = STEPS) -> go.Figure:
    """A spiral that grows over a contour, and a star that stands still in front of it."""
    across = np.linspace(-2, 2, 30)
    turn = np.linspace(0, 2 * np.pi, steps + 1)
    x, y = turn / 4 * np.cos(turn), turn / 4 * np.sin(turn)
    figure = go.Figure(
        [
            go.Contour(x=across, y=across, z=across[:, None] ** 2 + across**2, showscale=False),
            go.Scatter(x=x[:1], y=y[:1], mode="lines+markers", name="path", line={"color": "#ff0000", "width": 3}),
            go.Scatter(x=[0], y=[0], mode="markers", name="minimum", marker={"size": 15, "color": "#ffffff"}),
        ]
    )
    figure.frames = [
        {"name": str(step), "data": [{"type": "scatter", "x": x[: step + 1], "y": y[: step + 1]}], "traces": [1]}
        for step in range(steps + 1)
    ]
    figure.update_layout(template=theme_named(theme).template, xaxis_range=[-2, 2], yaxis_range=[-2, 2], title="Spiral")
    if slider:
        buttons = [{"label": "Play", "method": "animate", "args": [None]}]
        labels = [{"label": str(k), "method": "animate", "args": [[str(k)]]} for k in range(steps + 1)]
        figure.update_layout(
            sliders=[{"steps": labels, "currentvalue": {"prefix": "Step "}}],
            updatemenus=[{"type": "buttons", "buttons": buttons}],
        )
    return figure


def space() -> go.Figure:
    """A path that grows over a surface."""
    across = np.linspace(-1, 1, 9)
    height = across[:, None] ** 2 + across**2
    figure = go.Figure(
        [
            go.Surface(x=across, y=across, z=height, showscale=False),
            go.Scatter3d(x=[1], y=[1], z=[2], mode="lines", line={"color": "#ff0000", "width": 6}),
        ]
    )
    way = np.linspace(1, 0, 6)
    figure.frames = [
        go.Frame(data=[go.Scatter3d(x=way[:k], y=way[:k], z=2 * way[:k] ** 2)], traces=[1]) for k in range(2, 7)
    ]
    return figure
