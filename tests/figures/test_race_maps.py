from __future__ import annotations

import numpy as np
import pytest

from optiscope.experiments.race.stability import stability_map as measure
from optiscope.figures.basin_map import basin_map
from optiscope.figures.stability_map import polyak, stability_map
from optiscope.problems.functions.registry import function
from tests.figures.made_maps import basins, many_basins, stability


def names(figure):
    return [trace.name for trace in figure.data if trace.name]


def test_each_end_has_a_colour_and_its_share_in_the_legend():
    figure = basin_map(basins())
    assert names(figure) == [
        "(1, 1)  33 %",
        "(−1, 1)  42 %",
        "at no minimum after 100 steps  17 %",
        "diverges  8 %",
        "minima",
    ]
    cells = figure.data[0]
    assert cells.z.shape == (6, 8)
    assert len({colour for _, colour in cells.colorscale}) == 4


def test_hovering_over_a_start_tells_where_it_ends():
    texts = basin_map(basins()).data[0].text
    assert texts[2][0] == "to (1, 1), 12 steps"
    assert texts[0][0] == "at no minimum after 100 steps"
    assert texts[5][0] == "diverges"


def test_more_minima_than_colours_share_one():
    figure = basin_map(many_basins())
    assert any(name.startswith("4 other minima") for name in names(figure))
    assert np.isfinite(figure.data[0].z).all()


def test_the_settings_are_told_without_those_that_do_nothing():
    text = basin_map(basins()).layout.title.subtitle.text
    assert "learning_rate=0.01, momentum=0.9; 100 steps" in text
    assert "weight_decay" not in text


def test_contours_can_be_left_out():
    assert "contour" not in {trace.type for trace in basin_map(basins(), contours=False).data}


def test_colours_change_their_side_at_a_factor_of_one():
    given = stability()
    cells = stability_map(given).data[0]
    assert cells.zmin == -cells.zmax
    np.testing.assert_array_equal(cells.z > 0, given.contraction > 1)
    np.testing.assert_allclose(cells.customdata, given.contraction)


def test_the_theoretical_border_parts_the_colours():
    given = stability()
    figure = stability_map(given)
    border = next(trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines")
    for row, rate in enumerate(border.x):
        beyond = given.learning_rates > rate * 1.001
        assert (given.contraction[row][beyond] > 1).all()


def test_the_fastest_settings_are_starred_and_told():
    given = stability()
    figure = stability_map(given)
    star = next(trace for trace in figure.data if trace.name == "fastest")
    row, column = np.unravel_index(given.contraction.argmin(), given.contraction.shape)
    assert (star.x[0], star.y[0]) == (given.learning_rates[column], given.momenta[row])
    assert f"momentum {given.momenta[row]:.2f}" in figure.layout.title.subtitle.text.replace("<br>", " ")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_without_any_finite_factor_is_drawn(value):
    given = stability()
    broken = type(given)(**{**vars(given), "contraction": np.full((12, 24), value), "border": np.full(12, np.nan)})
    assert names(stability_map(broken)) == []


def test_the_best_settings_by_theory_are_marked_for_momentum():
    problem = function("sphere(weights=(0.5, 5.0))")
    figure = stability_map(measure(problem, "momentum", resolution=12))
    mark = next(trace for trace in figure.data if trace.name == "best by theory")
    root = (np.sqrt(10.0) - 1.0) / (np.sqrt(10.0) + 1.0)
    assert mark.x[0] == pytest.approx((2 / (np.sqrt(10.0) + 1.0)) ** 2)
    assert mark.y[0] == pytest.approx(root**2)
    assert polyak(measure(problem, "nesterov", resolution=4)) is None
