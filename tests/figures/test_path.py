from __future__ import annotations

import numpy as np

from optiscope.analysis import trajectory
from optiscope.figures.path import path


def test_the_subtitle_says_how_much_is_seen_and_what_chance_would_show(adam):
    text = path(trajectory(adam)).layout.title.subtitle.text.replace("<br>", " ")
    assert "of the movement" in text
    assert "random walk" in text


def test_marks_stand_at_start_and_end(adam):
    seen = trajectory(adam)
    figure = path(seen, off_plane=False)
    open_circle, square = (trace for trace in figure.data if trace.marker.size == 11)
    assert (open_circle.x[0], open_circle.y[0]) == tuple(seen.coordinates[0][0])
    assert (square.x[0], square.y[0]) == tuple(seen.coordinates[0][-1])


def test_hovering_tells_step_loss_and_distance_from_the_plane(adam):
    texts = [trace.text for trace in path(trajectory(adam)).data if trace.text is not None]
    assert "step 4" in texts[0][1]
    assert "loss" in texts[0][1]
    assert "off the plane" in texts[0][1]


def test_the_distance_from_the_plane_is_drawn_below(adam):
    seen = trajectory(adam)
    np.testing.assert_allclose(path(seen).data[-1].y, seen.distance_off[0])


def test_several_runs_are_in_the_legend_and_in_their_colours(several):
    figure = path(trajectory(several), colours={"adam-0": "#010203"})
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == ["adam-0", "adam-1", "sgd-0"]
    assert lines[0].line.color == "#010203"


def test_three_components_are_a_path_in_space(several):
    figure = path(trajectory(several, components=3))
    assert {trace.type for trace in figure.data} == {"scatter3d"}
    assert figure.layout.scene.zaxis.title.text.startswith("component 3")
