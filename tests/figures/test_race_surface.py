from __future__ import annotations

import numpy as np
import pytest

from optiscope.figures.race_surface import race_surface
from optiscope.figures.scene_view import eye_for, proportions
from optiscope.rendering.printing.specification import decode
from tests.figures.made_races import saddle_race, valley_race


@pytest.fixture(scope="module")
def race():
    return saddle_race()


def named(figure, name):
    return next(trace for trace in decode(figure.to_plotly_json())["data"] if trace.get("name") == name)


def test_paths_lie_a_little_above_the_surface(race):
    figure = race_surface(race, animated=False)
    path, line = race.paths_of("adam")[0], named(figure, "adam")
    lift = line["z"] - path.losses
    heights = figure.data[0].z
    # The drawn surface is made of flat pieces, which lie above the true one where it bends.
    assert lift.min() > 0.01 * np.ptp(heights)
    assert lift.max() < 0.015 * np.ptp(heights)


def test_heights_are_true_numbers_on_a_symmetric_logarithmic_axis_where_walls_dwarf_valleys():
    figure = race_surface(valley_race(), animated=False)
    axis = figure.layout.scene.zaxis
    assert axis.title.text == "f (symmetric log scale)"
    assert "10²" in axis.ticktext
    steep = race_surface(valley_race(), animated=False, scale="linear")
    assert steep.layout.scene.zaxis.title.text == "f"


def test_a_path_that_diverges_ends_at_the_edge_on_the_surface(race):
    line = named(race_surface(race, animated=False), "momentum (diverges)")
    end = np.array([line["x"][-1], line["y"][-1]])
    assert end[1] == pytest.approx(-3.0, abs=0.15)
    assert line["z"][-1] == pytest.approx(float(race.problem.value(end)), abs=2.0)


def test_every_frame_redraws_for_scenes_need_it(race):
    figure = race_surface(race)
    assert len(figure.frames) == 151
    assert figure.layout.updatemenus[0].buttons[0].args[1]["frame"]["redraw"] is True


def test_the_camera_stands_where_it_sees_what_is_behind_a_wall():
    x = np.linspace(0, 1, 41)
    wall = np.tile(np.where((x > 0.55) & (x < 0.75), 1.0, 0.0), (41, 1))
    points = np.column_stack([np.full(9, 0.4), np.linspace(0.1, 0.9, 9), np.zeros(9)])
    assert eye_for(wall, ((0.0, 1.0), (0.0, 1.0)), points)["x"] < 0.5
    mirrored = points * [-1, 1, 1] + [1, 0, 0]
    assert eye_for(wall[:, ::-1], ((0.0, 1.0), (0.0, 1.0)), mirrored)["x"] > 0


def test_the_camera_is_in_its_customary_place_where_nothing_is_hidden():
    eye = eye_for(np.zeros((5, 5)), ((0.0, 1.0), (0.0, 1.0)), np.zeros((1, 3)))
    assert eye["y"] > eye["x"] > 0


def test_the_side_across_the_view_is_the_longer_one():
    assert proportions({"x": 0.1, "y": 1.5, "z": 0.5})["x"] > 1.5
    assert proportions({"x": 1.5, "y": 0.1, "z": 0.5})["y"] > 1.5
    assert proportions({"x": 1.0, "y": 1.0, "z": 0.5})["x"] == 1.0


def test_what_leaves_the_surface_has_a_cross_with_a_word_from_the_step_on_in_which_it_leaves(race):
    frames = decode(race_surface(race).to_plotly_json())["frames"]
    words = [frame["data"][-1]["text"] for frame in frames]
    assert words[0] == [""]
    assert words[-1] == ["diverges"]
    gone = words.index(["diverges"])
    assert abs(race.paths_of("momentum")[0].points[gone, 1]) > 3.0
    assert abs(race.paths_of("momentum")[0].points[gone - 1, 1]) <= 3.0
