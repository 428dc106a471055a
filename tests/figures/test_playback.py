"""Frames that are put into a figure without being checked one by one."""

from __future__ import annotations

import plotly.graph_objects as go

from optiscope.figures.playback import add_playback
from optiscope.figures.theme import theme_named


def test_frames_arrive_as_they_would_by_assignment():
    frames = [
        {"name": str(step), "data": [{"type": "scatter", "x": [0, step], "y": [1, 2]}], "traces": [1]}
        for step in range(3)
    ]
    moving = go.Figure([go.Scatter(x=[0], y=[0]), go.Scatter(x=[0], y=[1])])
    add_playback(moving, frames, theme_named("light"), active=2, redraw=False)
    assigned = go.Figure(moving.data, frames=frames)
    assert moving.to_plotly_json()["frames"] == assigned.to_plotly_json()["frames"]
    assert [frame.name for frame in moving.frames] == ["0", "1", "2"]
    assert go.Figure(moving).to_plotly_json()["frames"] == moving.to_plotly_json()["frames"]
    assert [step.label for step in moving.layout.sliders[0].steps] == ["0", "1", "2"]
