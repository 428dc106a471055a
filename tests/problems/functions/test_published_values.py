"""Values that the literature states, to its digits: that a formula is the one that goes by this name."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.functions import function

PUBLISHED = {
    # Surjanovic and Bingham, Virtual library of simulation experiments.
    "cross_in_tray": (-2.06261, (1.3491, -1.3491)),
    "drop_wave": (-1.0, (0.0, 0.0)),
    "holder_table": (-19.2085, (8.05502, 9.66459)),
    "shubert": (-186.7309, None),
    "michalewicz": (-1.8013, (2.20, 1.57)),
    "michalewicz(dimension=5)": (-4.687658, None),
    "michalewicz(dimension=10)": (-9.66015, None),
    "hartmann(dimension=3)": (-3.86278, (0.114614, 0.555649, 0.852547)),
    "hartmann(dimension=6)": (-3.32237, (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)),
    "shekel": (-10.5364, (4.0, 4.0, 4.0, 4.0)),
    "de_jong5": (0.998, (-32.0, -32.0)),
    "trid(dimension=6)": (-50.0, (6, 10, 12, 12, 10, 6)),
    "trid(dimension=10)": (-210.0, None),
    "perm(dimension=4)": (0.0, (1, 2, 3, 4)),
    "bukin6": (0.0, (-10.0, 1.0)),
    "forrester": (-6.02074, (0.757249,)),
    "gramacy_lee": (-0.869, (0.548563,)),
}
# Powell 1962: the value at the start of his function; Colville 1968: that at the customary start.
AT_THE_START = {"powell": 215.0, "colville": 19192.0}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_minimum_is_the_published_one(name):
    value, point = PUBLISHED[name]
    problem = function(name)
    assert problem.minimum == pytest.approx(value, rel=1e-4, abs=1e-12)
    if point is not None:
        distances = np.linalg.norm(problem.minima - np.array(point), axis=-1)
        assert distances.min() < 2e-3 * (1 + np.linalg.norm(point))


@pytest.mark.parametrize("name", AT_THE_START)
def test_the_value_at_the_customary_start_is_the_published_one(name):
    problem = function(name)
    assert problem.value(problem.start) == AT_THE_START[name]


def test_shubert_has_eighteen_global_minima_and_all_are_in_the_domain():
    problem = function("shubert")
    assert len(problem.minima) == 18
    grid = np.stack(np.meshgrid(*[np.linspace(-10, 10, 1001)] * 2), axis=-1)
    low = grid[problem.value(grid) < problem.minimum + 3]
    distances = np.linalg.norm(low[:, None] - problem.minima, axis=-1)
    # Every low point belongs to one of them, and each has some.
    assert distances.min(axis=1).max() < 0.1
    assert set(distances.argmin(axis=1)) == set(range(18))


def test_both_minima_of_perm_in_two_dimensions_are_zeros():
    for beta in (0.5, 2.0, 10.0):
        problem = function("perm", beta=beta)
        assert len(problem.minima) == 2
        np.testing.assert_allclose(problem.value(problem.minima), 0, atol=1e-25)


@pytest.mark.parametrize(
    "name",
    ["powell(dimension=6)", "hartmann(dimension=4)", "trid(dimension=1)", "perm(beta=-1)", "dixon_price(dimension=1)"],
)
def test_settings_for_which_there_is_no_function_are_refused(name):
    with pytest.raises(ArgumentError, match="Received"):
        function(name)
