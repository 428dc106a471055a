from __future__ import annotations

import numpy as np

from optiscope.figures.phase_plot import phase_plot
from optiscope.problems.functions.rosenbrock import Rosenbrock
from tests.figures.made_races import descent, race_of, saddle_race


def test_each_coordinate_is_drawn_against_the_change_of_the_next_step():
    race = saddle_race()
    figure = phase_plot(race)
    path = race.paths_of("adam")[0]
    lines = {trace.yaxis: trace for trace in figure.data if trace.legendgroup == "adam"}
    for axis, index in (("y", 0), ("y2", 1)):
        np.testing.assert_allclose(lines[axis].x, path.points[:-1, index])
        np.testing.assert_allclose(lines[axis].y, np.diff(path.points[:, index]))


def test_the_range_is_that_of_the_paths_that_stay():
    figure = phase_plot(saddle_race())
    assert max(map(abs, figure.layout.yaxis2.range)) < 1.0


def test_of_several_starts_the_first_is_drawn_and_that_is_said():
    race = race_of(Rosenbrock(), {"sgd": descent(1e-4)}, [(0.0, 0.0), (1.0, 2.0)], steps=4)
    figure = phase_plot(race)
    assert len([trace for trace in figure.data if trace.legendgroup == "sgd"]) == 2
    assert "first path" in figure.layout.title.subtitle.text


def test_everything_that_diverges_is_still_drawn():
    race = race_of(Rosenbrock(), {"sgd": descent(1.0)}, [(-1.2, 1.0)], steps=9)
    assert phase_plot(race).layout.xaxis.range is None
