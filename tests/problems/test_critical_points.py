"""Critical points of functions whose critical points are known."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.problems.critical_points import critical_points
from optiscope.problems.functions import function
from optiscope.problems.functions.function import Function
from optiscope.problems.functions.own import function_of
from optiscope.problems.functions.planar import PlanarFunction
from optiscope.problems.modifiers import Rotation


class Made(PlanarFunction):
    """A function of (x, y) made for a test: its value matters to nobody but the caller."""

    name, title, formula, source = "made", "Made", "", ""
    domain = ((-5.0, 5.0), (-5.0, 5.0))
    first = (1.0, 1.0)
    minimum_points = ()
    minimum = float("nan")

    def surface(self, x, y):
        return 0 * x


class MonkeySaddle(Made):
    def slopes(self, x, y):
        return 3 * x**2 - 3 * y**2, -6 * x * y

    def curvatures(self, x, y):
        return 6 * x, -6 * y, -6 * x


class Quartic(Made):
    def slopes(self, x, y):
        return 4 * (x - 1) ** 3, 4 * (y - 2) ** 3

    def curvatures(self, x, y):
        return 12 * (x - 1) ** 2, 0, 12 * (y - 2) ** 2


class Ring(Made):
    """(x² + y² − 4)²: a ring of minima around one maximum."""

    def slopes(self, x, y):
        return 4 * x * (x * x + y * y - 4), 4 * y * (x * x + y * y - 4)

    def curvatures(self, x, y):
        return 4 * (3 * x * x + y * y - 4), 8 * x * y, 4 * (x * x + 3 * y * y - 4)


class Trough(Made):
    """(x − 0.3)²: a line of minima."""

    def slopes(self, x, y):
        return 2 * (x - 0.3), 0

    def curvatures(self, x, y):
        return 2, 0, 0


class Crease(Made):
    """|x| + y²: a minimum that is a kink."""

    def slopes(self, x, y):
        return np.sign(x), 2 * y

    def curvatures(self, x, y):
        return 0, 0, 2


class Parabola(Made):
    """½ (x² + c y²), far outside its domain's usual scale."""

    condition = 1e5

    def slopes(self, x, y):
        return x, self.condition * y

    def curvatures(self, x, y):
        return 1, 0, self.condition


def kinds(problem: Function, **options) -> Counter[str]:
    return Counter(point.kind for point in critical_points(problem, **options))


def test_the_cubic_saddle_has_a_minimum_at_the_origin_and_its_saddle_elsewhere():
    minimum, saddle = critical_points(function("cubic_saddle"))
    assert minimum.kind == "minimum"
    np.testing.assert_allclose(minimum.point, [0, 0], atol=1e-14)
    np.testing.assert_allclose(minimum.eigenvalues, [1, 3], rtol=1e-12)
    assert minimum.value == pytest.approx(0, abs=1e-15)
    assert saddle.kind == "saddle"
    np.testing.assert_allclose(saddle.point, [1 / 4, -1 / 2], rtol=1e-14)
    # The Hessian there is [[2, 1], [1, −1]].
    np.testing.assert_allclose(saddle.eigenvalues, [(1 - np.sqrt(13)) / 2, (1 + np.sqrt(13)) / 2], rtol=1e-12)
    assert saddle.value == pytest.approx(1 / 16, rel=1e-13)


def test_himmelblau_has_four_minima_four_saddles_and_a_maximum():
    points = critical_points(function("himmelblau"))
    assert Counter(point.kind for point in points) == {"minimum": 4, "saddle": 4, "maximum": 1}
    assert [point.kind for point in points] == ["minimum"] * 4 + ["saddle"] * 4 + ["maximum"]
    np.testing.assert_allclose(points[-1].point, [-0.270845, -0.923039], atol=1e-6)
    assert any(np.allclose(point.point, [3, 2], atol=1e-13) for point in points[:4])


def test_the_three_hump_camel_has_two_saddles_between_three_minima():
    assert kinds(function("three_hump_camel")) == {"minimum": 3, "saddle": 2}


def test_each_point_is_one_where_the_gradient_vanishes_inside_the_domain():
    for name in ("six_hump_camel", "goldstein_price", "branin", "rastrigin"):
        problem = function(name)
        points = critical_points(problem)
        assert points
        low, high = problem.bounds.T
        for point in points:
            assert (low <= point.point).all()
            assert (point.point <= high).all()
            hessian = problem.hessian(point.point)
            assert (
                np.abs(problem.gradient(point.point)).max() <= 1e-14 * (1 + np.abs(hessian).max()) * (high - low).max()
            )
            np.testing.assert_allclose(point.eigenvalues, np.linalg.eigvalsh(hessian))
            assert point.value == problem.value(point.point)


def test_every_known_minimum_of_a_smooth_planar_function_is_found():
    for name in ("himmelblau", "branin", "six_hump_camel", "easom", "goldstein_price", "mccormick"):
        problem = function(name)
        found = np.array([one.point for one in critical_points(problem) if one.kind == "minimum"])
        for minimum in problem.minima:
            assert np.linalg.norm(found - minimum, axis=1).min() < 1e-7, name


def test_many_critical_points_are_thinned_but_the_lowest_minimum_stays():
    started = time.perf_counter()
    points = critical_points(function("rastrigin"))
    assert time.perf_counter() - started < 5  # a tenth of a second on an idle machine
    assert 195 <= len(points) <= 200
    np.testing.assert_allclose(points[0].point, [0, 0], atol=1e-12)
    # On such a lattice there are twice as many saddles as minima or maxima.
    count = Counter(point.kind for point in points)
    assert 0.4 < count["saddle"] / len(points) < 0.6
    assert [point.kind for point in critical_points(function("rastrigin"), limit=3)] == [
        "minimum",
        "saddle",
        "maximum",
    ]
    minima = [point.value for point in points if point.kind == "minimum"]
    assert minima == sorted(minima)


def test_all_of_them_come_when_the_limit_allows():
    # Along each axis there is a minimum near each of the 11 whole numbers, and a maximum between each two of them.
    assert kinds(function("rastrigin"), limit=10_000) == {"minimum": 121, "saddle": 220, "maximum": 100}


def test_a_singular_point_is_degenerate_and_found_once():
    (monkey,) = critical_points(MonkeySaddle())
    assert monkey.kind == "degenerate"
    np.testing.assert_allclose(monkey.point, [0, 0], atol=1e-8)
    (quartic,) = critical_points(Quartic())
    assert quartic.kind == "degenerate"
    np.testing.assert_allclose(quartic.point, [1, 2], atol=1e-8)


def test_rings_and_lines_are_left_out():
    (top,) = critical_points(Ring())
    assert top.kind == "maximum"
    np.testing.assert_allclose(top.point, [0, 0], atol=1e-12)
    assert critical_points(Trough()) == ()


def test_kinks_are_left_out():
    assert critical_points(Crease()) == ()


def test_an_ill_conditioned_minimum_is_not_taken_for_a_degenerate_one():
    (minimum,) = critical_points(Parabola())
    assert minimum.kind == "minimum"
    np.testing.assert_allclose(minimum.eigenvalues, [1, 1e5], rtol=1e-12)


def test_more_dimensions_are_searched_from_random_starts():
    # In four dimensions Rosenbrock's function has a second minimum near (−1, 1, 1, 1), and a saddle between the two.
    points = critical_points(function("rosenbrock(dimension=4)"))
    assert [point.kind for point in points] == ["minimum", "minimum", "saddle"]
    np.testing.assert_allclose(points[0].point, 1, rtol=1e-12)
    np.testing.assert_allclose(points[1].point, [-0.775659, 0.613093, 0.382063, 0.145973], atol=1e-6)
    assert [point.point.tolist() for point in critical_points(function("rosenbrock(dimension=4)"))] == [
        point.point.tolist() for point in points
    ]


@pytest.mark.parametrize("gradient", ["finite differences", "closed form"])
def test_an_own_function_has_its_critical_points_found(gradient):
    known = function("himmelblau")
    way = {} if gradient == "finite differences" else {"gradient": known.gradient}
    own = function_of(known.value, start=(0.5, 1.0), **way)
    points = critical_points(own)
    assert Counter(point.kind for point in points) == {"minimum": 4, "saddle": 4, "maximum": 1}
    found = np.array([point.point for point in points])
    for exact in critical_points(known):
        assert np.linalg.norm(found - exact.point, axis=1).min() < 1e-7


def test_moved_landscapes_have_moved_critical_points():
    turned = Rotation(base=function("himmelblau"), degrees=20)
    points = critical_points(turned)
    assert Counter(point.kind for point in points) == {"minimum": 4, "saddle": 4, "maximum": 1}
    found = np.array([turned.back(point.point) for point in points])
    for exact in critical_points(turned.base):
        assert np.linalg.norm(found - exact.point, axis=1).min() < 1e-12


def test_a_name_stands_for_its_function():
    by_name, by_function = critical_points("booth"), critical_points(function("booth"))
    assert [one.point.tolist() for one in by_name] == [one.point.tolist() for one in by_function]
    assert len(critical_points("rosenbrock(dimension=3)")) >= 1
    with pytest.raises(UnknownName, match="Did you mean 'himmelblau'"):
        critical_points("himelblau")


@pytest.mark.parametrize("given", [3, None, lambda x: x @ x])
def test_what_is_no_function_is_refused(given):
    with pytest.raises(ArgumentError, match="own_function"):
        critical_points(given)


@pytest.mark.parametrize(
    "wrong",
    [{"resolution": 1}, {"resolution": 48.0}, {"resolution": "fine"}, {"resolution": True}, {"resolution": 1001},
     {"limit": 0}, {"limit": 2.5}, {"limit": None}],
)  # fmt: skip
def test_wrong_arguments_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ArgumentError, match=f"{name}={value!r}"):
        critical_points(function("rosenbrock"), **wrong)
