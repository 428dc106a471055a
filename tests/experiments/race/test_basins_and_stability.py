"""Maps: which start ends where, and which settings converge."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.experiments.race.basins import DIVERGED, NOWHERE, basin_map
from optiscope.experiments.race.stability import stability_map
from optiscope.problems.functions.registry import function


def test_every_start_on_a_convex_function_ends_at_its_minimum():
    basins = basin_map(function("booth"), "sgd(learning_rate=0.1)", resolution=9, steps=300)
    assert (basins.ends == 0).all()
    assert np.isfinite(basins.steps_to_end).all()
    np.testing.assert_allclose(basins.minima, [[1.0, 3.0]], atol=1e-8)


def test_gradient_descent_on_himmelblau_has_four_basins_and_each_minimum_lies_in_its_own():
    basins = basin_map(function("himmelblau"), "sgd(learning_rate=0.002)", resolution=41, steps=1500)
    assert set(np.unique(basins.ends)) == {0, 1, 2, 3}
    for index, (x, y) in enumerate(basins.minima):
        column, row = np.abs(basins.xs - x).argmin(), np.abs(basins.ys - y).argmin()
        assert basins.ends[row, column] == index


def test_a_rate_that_is_too_large_diverges_and_one_that_is_too_small_arrives_nowhere():
    assert (basin_map(function("booth"), "sgd(learning_rate=1.0)", resolution=5).ends == DIVERGED).all()
    slow = basin_map(function("booth"), "sgd(learning_rate=1e-9)", resolution=5)
    assert (slow.ends == NOWHERE).all()
    assert np.isinf(slow.steps_to_end).all()


def test_basins_need_two_coordinates():
    with pytest.raises(ArgumentError, match="two coordinates"):
        basin_map(function("rosenbrock(dimension=3)"), "sgd")


@pytest.mark.parametrize("name", ["momentum", "classical_momentum", "nesterov"])
def test_the_measured_contraction_is_that_of_theory(name):
    found = stability_map(function("sphere"), name, resolution=24)
    told = np.isfinite(found.contraction) & (found.theory > 0.05)
    assert told.mean() > 0.9
    # Where two roots meet the error falls like k·rᵏ rather than rᵏ: there a finite stretch looks a little slower.
    np.testing.assert_allclose(found.contraction[told], found.theory[told], rtol=0.02)
    assert np.median(np.abs(found.contraction[told] / found.theory[told] - 1)) < 2e-3


@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_the_border_separates_what_converges_from_what_diverges(name):
    found = stability_map(function("sphere"), name, resolution=30)
    inside = found.learning_rates[None] < 0.97 * found.border[:, None]
    outside = found.learning_rates[None] > 1.03 * found.border[:, None]
    assert (found.theory[inside] < 1).all()
    assert (found.theory[outside] > 1).all()
    assert (found.contraction[inside] < 1.001).all()
    assert (found.contraction[outside] > 1).all()


def test_a_stability_map_needs_a_quadratic():
    with pytest.raises(ArgumentError, match="quadratic"):
        stability_map(function("rosenbrock"))
    with pytest.raises(ArgumentError, match="momentum"):
        stability_map(function("sphere"), "adam")


def test_theory_is_silent_about_what_it_does_not_know():
    found = stability_map("sphere", "momentum(dampening=0.5)", resolution=4)
    assert np.isnan(found.theory).all()
    assert np.isnan(found.border).all()


@pytest.mark.parametrize("resolution", [0, 1, 2.5, True, 5000])
def test_a_map_has_at_least_two_points_along_each_axis(resolution):
    with pytest.raises(ArgumentError, match="resolution"):
        basin_map("booth", "sgd", resolution=resolution)
    with pytest.raises(ArgumentError, match="resolution"):
        stability_map("sphere", resolution=resolution)


def test_a_trajectory_that_only_leaves_the_domain_has_not_diverged():
    basins = basin_map("mccormick", "sgd(learning_rate=0.1)", resolution=8, steps=40)
    assert NOWHERE in basins.ends
