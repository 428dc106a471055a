from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.figures.filled_contour import filled_contour
from optiscope.figures.landscape import area_of, contour_trace, landscape_of, levels_of, ranks
from optiscope.figures.theme import theme_named
from optiscope.problems.functions.rosenbrock import Rosenbrock
from tests.figures.made_races import Saddle

AREA = ((-2.0, 2.0), (-1.0, 3.0))
NOWHERE = np.empty((0, 2))


def test_ranks_are_places_among_the_levels():
    levels = np.array([1.0, 10.0, 100.0])
    values = np.array([1.0, 5.5, 10.0, 100.0, 0.0, 1000.0, np.nan, np.inf])
    np.testing.assert_allclose(ranks(values, levels), [0.0, 0.5, 1.0, 2.0, -0.5, 2.5, np.nan, np.nan])


def test_levels_rise_and_show_the_valley_as_well_as_the_walls():
    ground = landscape_of(Rosenbrock(), AREA)
    assert (np.diff(ground.levels) > 0).all()
    below = [float((ground.values <= level).mean()) for level in ground.levels]
    assert below[0] < 0.06
    assert below[-1] > 0.9
    # No two neighbours leave more than a quarter of the picture without a line.
    assert np.diff(below).max() < 0.25


def test_a_contour_runs_through_each_height_that_is_asked_for():
    ground = landscape_of(Saddle(), ((-3.0, 3.0), (-3.0, 3.0)), through=[0.0625])
    assert 0.0625 in ground.levels


def test_levels_of_a_constant_and_of_nothing_exist():
    for values in (np.full((3, 3), 2.0), np.full((3, 3), np.nan)):
        assert len(levels_of(values)) == 2


def test_the_colour_bar_tells_true_heights():
    ground = landscape_of(Rosenbrock(), AREA)
    bar = contour_trace(ground, theme_named("light")).colorbar
    shown = [float(text.replace("−", "-")) for text in bar.ticktext]
    np.testing.assert_allclose(shown, ground.levels[list(bar.tickvals)], rtol=1e-3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_fills_have_the_areas_that_lie_above_the_levels(theme):
    ground = landscape_of(Saddle(), AREA)
    traces = filled_contour(ground, theme_named(theme))
    fills = [trace for trace in traces if trace.fill == "toself"]
    assert len(fills) == len(ground.levels) + 1
    full = 16.0
    for level, trace in zip(ground.levels, fills[1:], strict=True):
        share = float((ground.values >= level).mean())
        assert enclosed(trace) == pytest.approx(share * full, abs=0.02 * full)


def enclosed(trace) -> float:
    """Area of all rings of a trace; holes run the other way round and count negative."""
    x, y = np.asarray(trace.x, dtype=float), np.asarray(trace.y, dtype=float)
    total = 0.0
    for rows in np.split(np.arange(len(x)), np.flatnonzero(np.isnan(x))):
        piece = rows[~np.isnan(x[rows])]
        total += 0.5 * float((x[piece] * np.roll(y[piece], -1) - np.roll(x[piece], -1) * y[piece]).sum())
    return abs(total)


def test_the_area_is_the_domain_and_a_little_more_for_points_outside():
    assert area_of(Rosenbrock(), NOWHERE, "domain") == AREA
    (left, right), (bottom, top) = area_of(Rosenbrock(), np.array([[2.3, 0.0], [500.0, 0.0], [np.nan, 0.0]]), "domain")
    assert (left, bottom, top) == (-2.0, -1.0, 3.0)
    assert 2.3 < right < 2.6


def test_the_area_of_paths_holds_them_with_a_margin_and_is_no_sliver():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    (left, right), (bottom, top) = area_of(Rosenbrock(), points, "paths")
    assert left < 0.0
    assert right > 1.0
    assert (top - bottom) >= (right - left) / 3


def test_an_area_that_makes_no_sense_is_refused():
    for asked in ("everything", ((2.0, 1.0), (0.0, 1.0)), ((0.0, np.inf), (0.0, 1.0)), (0.0, 1.0)):
        with pytest.raises(ArgumentError, match=r"Received"):
            area_of(Rosenbrock(), NOWHERE, asked)


def test_only_two_coordinates_have_a_contour():
    with pytest.raises(ArgumentError, match="two coordinates"):
        area_of(Rosenbrock(dimension=3), NOWHERE, "domain")
