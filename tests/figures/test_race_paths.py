from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optiscope.experiments.race.path import Path
from optiscope.figures.race_cast import legend_label
from optiscope.figures.race_paths import MARKS, divergences, draw_path, drawn_paths, frame_steps
from tests.figures.made_races import saddle_race, valley_race

AREA = ((-1.0, 1.0), (-1.0, 1.0))


def path_through(points, diverged_at=None) -> Path:
    points = np.asarray(points, dtype=np.float64)
    return Path(
        optimizer="sgd",
        seed=0,
        points=points,
        losses=np.zeros(len(points)),
        gradients=np.zeros_like(points),
        effective_rates=np.zeros_like(points),
        diverged_at=diverged_at,
    )


def test_a_path_that_stays_is_drawn_as_it_is():
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    drawn = draw_path(path_through(points), AREA)
    np.testing.assert_array_equal(drawn.points, points)
    np.testing.assert_array_equal(drawn.rows, np.arange(50))
    assert drawn.exit is None


def test_a_long_path_is_thinned_and_keeps_its_ends():
    drawn = draw_path(path_through(np.zeros((5001, 2))), AREA)
    assert len(drawn.rows) <= MARKS + 2
    assert drawn.rows[0] == 0
    assert drawn.rows[-1] == 5000


def test_a_diverging_path_ends_on_the_edge_in_the_direction_of_its_step():
    drawn = draw_path(path_through([[0, 0], [0.5, 0.25], [4.5, 2.25], [1e200, 1e200], [np.inf, np.nan]], 3), AREA)
    assert list(drawn.rows) == [0, 1, 2]
    assert drawn.exit[0] == pytest.approx(1 - 0.02 * 2)
    assert drawn.exit[1] == pytest.approx(drawn.exit[0] / 2)


def test_a_far_point_is_brought_near_along_its_step():
    drawn = draw_path(path_through([[0.0, 0.0], [1e6, 5e5], [0.1, 0.0]]), AREA)
    assert np.abs(drawn.points).max() <= 13.0
    assert drawn.points[1, 1] == pytest.approx(drawn.points[1, 0] / 2)


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float64, (7, 2), elements=st.floats(allow_nan=True, allow_infinity=True, width=64)),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_whatever_the_path_what_is_drawn_is_near_or_a_gap(points, diverged_at):
    points[0] = 0.5
    drawn = draw_path(path_through(points, diverged_at), AREA)
    finite = drawn.points[np.isfinite(drawn.points)]
    assert (np.abs(finite) <= 13.0 + 1e-9).all()
    assert (drawn.exit is None) == (diverged_at is None)
    if drawn.exit is not None:
        assert (np.abs(drawn.exit) <= 1.0).all()


def test_divergence_is_told_in_legend_and_words():
    race = saddle_race()
    assert legend_label(race, "momentum") == "momentum (diverges)"
    assert legend_label(race, "adam") == "adam"
    assert divergences(race) == ["momentum diverges at step 19."]


def test_there_is_a_frame_for_each_step_of_a_short_race_and_both_ends_of_a_long_one():
    race = saddle_race(steps=150)
    assert frame_steps(race, drawn_paths(race, AREA)) == list(range(151))
    long = valley_race(steps=1501)
    steps = frame_steps(long, drawn_paths(long, AREA))
    assert len(steps) <= 202
    assert (steps[0], steps[-1]) == (0, 1501)
