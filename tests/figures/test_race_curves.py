from __future__ import annotations

import numpy as np
import pytest

from optiscope.figures.race_curves import race_curves, targets
from optiscope.problems.functions.rosenbrock import Rosenbrock
from tests.figures.made_races import descent, race_of, saddle_race, valley_race

STARTS = [(-1.2, 1.0), (1.5, 2.5), (0.5, 2.0)]


def lines_of(figure, axis):
    return {t.legendgroup: t for t in figure.data if t.yaxis == axis and t.mode == "lines" and t.fill is None}


def test_each_panel_shows_its_quantity_step_by_step():
    race = valley_race()
    figure = race_curves(race)
    path = race.paths_of("adam")[0]
    expected = {
        "y": path.losses,
        "y2": np.linalg.norm(path.gradients, axis=1),
        "y3": np.linalg.norm(path.points - 1.0, axis=1),
        "y4": np.sqrt(path.effective_rates.prod(axis=1)),
    }
    for axis, values in expected.items():
        np.testing.assert_allclose(lines_of(figure, axis)["adam"].customdata, values)
    headings = [annotation.text for annotation in figure.layout.annotations]
    assert headings[2] == "<b>Distance to the nearest minimum</b>"


def test_local_minima_serve_where_no_global_one_is_known():
    np.testing.assert_array_equal(targets(saddle_race()), [[0.0, 0.0]])


def test_without_any_minimum_there_is_no_panel_of_distances():
    race = race_of(saddle_race().problem, {"sgd": descent(0.01)}, [(2.0, 3.0)], steps=5)
    assert len(race_curves(race).layout.annotations) == 3


def test_a_path_that_diverges_ends_in_a_cross_and_does_not_press_the_others_flat():
    figure = race_curves(saddle_race())
    rate = next(trace for trace in figure.data if trace.yaxis == "y2" and trace.name == "diverges")
    assert rate.text[0] == "momentum diverges at step 19"
    norms = lines_of(figure, "y2")
    highest = max(np.nanmax(norms[label].customdata) for label in ("adam", "sgd"))
    assert np.nanmax(norms["momentum"].customdata) <= 1e4 * highest


def test_of_several_paths_the_median_and_the_range_are_drawn():
    race = race_of(Rosenbrock(), {"sgd": descent(0.0005)}, STARTS, steps=20)
    figure = race_curves(race)
    losses = np.array([path.losses for path in race.paths])
    np.testing.assert_allclose(lines_of(figure, "y")["sgd"].customdata, np.median(losses, axis=0))
    band = next(trace for trace in figure.data if trace.fill == "toself" and trace.yaxis == "y")
    np.testing.assert_allclose(band.y[:21], losses.min(axis=0))
    assert "medians" in figure.layout.title.subtitle.text


def test_a_median_ends_when_half_of_the_paths_have_diverged():
    race = race_of(Rosenbrock(), {"sgd": descent(0.004)}, [(-1.2, 1.0), (3.0, -3.0), (3.0, 3.0)], steps=20)
    lost = [path.diverged_at for path in race.paths]
    assert sum(step is not None for step in lost) == 2
    line = lines_of(race_curves(race), "y")["sgd"]
    assert np.isfinite(line.customdata).sum() <= max(step for step in lost if step is not None)


def test_the_scale_can_be_chosen():
    assert race_curves(valley_race(), scale="linear").layout.yaxis.type == "linear"
    with pytest.raises(ValueError, match="scale"):
        race_curves(valley_race(), scale="cubic")
