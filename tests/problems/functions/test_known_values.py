"""Values that can be had by hand from the formula, or are printed in the literature; and what kinks are defined as."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.functions.registry import function

KNOWN = [
    ("sphere", (3, 4), 33.8),
    ("sphere(weights=(1, 2, 3))", (1, 1, 2), 15),
    ("cubic_saddle", (0.25, -0.5), 1 / 16),
    ("cubic_saddle", (2, 3), 46),
    ("rosenbrock", (-1.2, 1), 24.2),
    ("rosenbrock(dimension=3)", (0, 0, 0), 2),
    ("beale", (0, 0), 14.203125),
    ("beale", (1, 1), 14.203125),
    ("himmelblau", (0, 0), 170),
    ("himmelblau", (-0.270844590667, -0.923038522047), 181.616521522),
    ("booth", (0, 0), 74),
    ("matyas", (1, 1), 0.04),
    ("mccormick", (0, 0), 1),
    ("mccormick", (2, 1), math.sin(3) + 1.5),
    # The other local minima in the domain.
    ("goldstein_price", (-0.6, -0.4), 30),
    ("goldstein_price", (1.8, 0.2), 84),
    ("goldstein_price", (1.2, 0.8), 840),
    ("goldstein_price", (0, 0), 600),
    ("rastrigin", (1, 1), 2),
    ("rastrigin(dimension=3)", (0.5, -0.5, 1), 41.5),
    ("ackley", (1, 1), 20 - 20 * math.exp(-0.2)),
    ("ackley", (0.5, 0.5), 20 - 20 * math.exp(-0.1) + math.e - math.exp(-1)),
    ("griewank", (math.pi, 0), 2 + math.pi**2 / 4000),
    ("griewank(dimension=4)", (0, 0, 0, 2 * math.pi), 2 + math.pi**2 / 1000),
    ("levy", (1, -3), 1),
    ("levy", (1, 2), 0.125),
    ("levy", (5, 1), 1 + 10 * math.sin(1) ** 2),
    ("levy(dimension=1)", (3,), 1 + 0.25),
    ("styblinski_tang", (1, 1), -10),
    ("styblinski_tang(dimension=3)", (0, 0, 2), -19),
    ("schwefel", (0, 0), 837.9657745448674),
    ("schwefel(dimension=1)", (-((math.pi / 2) ** 2),), 418.9828872724337 + (math.pi / 2) ** 2),
    ("eggholder", (0, 0), -47 * math.sin(math.sqrt(47))),
    ("eggholder", (-4, -45), 4 * math.sin(math.sqrt(6))),
    ("easom", (0, 0), -math.exp(-2 * math.pi**2)),
    ("three_hump_camel", (1, 1), 2 - 1.05 + 1 / 6 + 2),
    ("six_hump_camel", (1, 1), 4 - 2.1 + 1 / 3 + 1),
    ("six_hump_camel", (1.7036067147, -0.7960835680), -0.2154638244),
    ("bohachevsky", (1, 1), 3.6),
    ("bohachevsky", (0, 0.25), 2 / 16 + 0.8),
    ("schaffer", (math.sqrt(math.pi / 2), 0), 0.5 + 0.5 / (1 + 0.0005 * math.pi) ** 2),
    ("schaffer4", (0, 0), 1),
    ("schaffer4", (0, math.sqrt(math.pi)), 0.5 + 0.5 / (1 + 0.001 * math.pi) ** 2),
    ("branin", (0, 0), 56 - 10 / (8 * math.pi)),
    ("zakharov", (1, 1), 9.3125),
    ("zakharov(dimension=3)", (0, 0, 2), 4 + 9 + 81),
]


@pytest.mark.parametrize(("call", "point", "expected"), KNOWN)
def test_a_value_that_is_known_from_elsewhere(call, point, expected):
    assert function(call).value(np.array(point, dtype=float)) == pytest.approx(expected, rel=1e-9)


def test_the_origin_of_the_cubic_is_a_minimum_and_its_saddle_is_elsewhere():
    cubic = function("cubic_saddle")
    np.testing.assert_array_equal(cubic.gradient(np.zeros(2)), 0)
    np.testing.assert_allclose(np.linalg.eigvalsh(cubic.hessian(np.zeros(2))), [1, 3])
    saddle = np.array([0.25, -0.5])
    np.testing.assert_array_equal(cubic.gradient(saddle), 0)
    lower, upper = np.linalg.eigvalsh(cubic.hessian(saddle))
    assert lower < 0 < upper


def test_derivatives_at_kinks_are_finite():
    ackley = function("ackley")
    np.testing.assert_array_equal(ackley.gradient(np.zeros(2)), 0)
    # Only the ripples are left: e · (2π)² / n.
    np.testing.assert_allclose(ackley.hessian(np.zeros(2)), math.e * 2 * math.pi**2 * np.eye(2))
    np.testing.assert_array_equal(function("schwefel").hessian(np.zeros(2)), 0)
    on_both_roots = np.array([0.0, -47.0])
    np.testing.assert_array_equal(function("eggholder").gradient(on_both_roots), 0)
    assert np.isfinite(function("eggholder").hessian(on_both_roots)).all()


def test_ackley_is_exact_close_to_its_minimum():
    # −20 exp(−0.2 r) + 20 ≈ 4 r: the plain form of the formula would give 0 or a multiple of 3.6e-15 here.
    assert function("ackley").value(np.array([1e-18, 1e-18])) == pytest.approx(4e-18, rel=1e-12)


@pytest.mark.parametrize("weights", [[0.5, 1, 2], np.array([0.5, 1, 2]), (0.5, 1.0, 2.0)])
def test_weights_of_the_sphere_may_be_any_sequence(weights):
    sphere = function("sphere", weights=weights)
    assert sphere.weights == (0.5, 1.0, 2.0)
    assert sphere.dimension == 3
    assert sphere == function("sphere(weights=(0.5, 1, 2))")


@pytest.mark.parametrize("weights", [(), (1, 0), (1, -2), (1, math.nan), (math.inf,), 3.0, "ab", None, ("a", 1)])
def test_weights_that_make_no_bowl_are_refused(weights):
    with pytest.raises(ArgumentError, match=r"positive finite numbers.*Received"):
        function("sphere", weights=weights)


def test_a_function_by_name_is_the_one_of_the_list_however_it_was_found():
    import pytest

    from optiscope.errors import UnknownName
    from optiscope.problems.functions.registry import function, function_types

    for name, kind in function_types().items():
        assert type(function(name)) is kind
    for name in ("registry", "planar", "function", "beal"):
        with pytest.raises(UnknownName):
            function(name)
