"""Own functions: derivatives against closed forms, every manner of calling, and errors before any work."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.problems.functions import function
from optiscope.problems.functions.own import function_of

BOX = [[-2.0, 2.0], [-1.0, 3.0]]


def banana(x):
    """100 (y − x²)² + (1 − x)²."""
    return 100 * (x[..., 1] - x[..., 0] ** 2) ** 2 + (1 - x[..., 0]) ** 2


def banana_of_one_point(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def banana_of_coordinates(x, y):
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


def banana_of_plain_numbers(x):
    return 100 * math.pow(float(x[1]) - float(x[0]) ** 2, 2) + (1 - float(x[0])) ** 2


class Counted:
    """Counts the calls of a function."""

    def __init__(self, of):
        self.of, self.calls = of, 0

    def __call__(self, x):
        self.calls += 1
        return self.of(x)


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform([-2, -1], [2, 3], (2, 5, 2))


@pytest.mark.parametrize("written", [banana, banana_of_one_point, banana_of_coordinates, banana_of_plain_numbers])
def test_each_manner_of_writing_gives_the_same_function(written, points):
    own, known = function_of(written, bounds=BOX), function("rosenbrock")
    assert own.gradient_source == "finite differences"
    np.testing.assert_allclose(own.value(points), known.value(points), rtol=1e-14)
    np.testing.assert_allclose(own.gradient(points), known.gradient(points), rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(own.hessian(points), known.hessian(points), rtol=1e-5, atol=1e-3)
    assert own.value(points[0, 0]).shape == ()
    assert own.gradient(points[0, 0]).shape == (2,)
    assert own.hessian(points[:0]).shape == (0, 5, 2, 2)


def test_finite_differences_are_as_exact_as_promised():
    own = function_of(lambda x: np.exp(x[..., 0]) * np.sin(3 * x[..., 1]))
    x = np.random.default_rng(1).uniform(-2, 2, (50, 2))
    e, s, c = np.exp(x[:, 0]), np.sin(3 * x[:, 1]), np.cos(3 * x[:, 1])
    np.testing.assert_allclose(own.gradient(x), np.stack([e * s, 3 * e * c], -1), atol=3e-9)
    exact = np.stack([np.stack([e * s, 3 * e * c], -1), np.stack([3 * e * c, -9 * e * s], -1)], -2)
    np.testing.assert_allclose(own.hessian(x), exact, atol=1e-5)
    np.testing.assert_array_equal(own.hessian(x), np.swapaxes(own.hessian(x), -1, -2))


def test_a_given_gradient_is_used_and_sharpens_the_hessian(points):
    known = function("rosenbrock")
    own = function_of(banana, bounds=BOX, gradient=known.gradient)
    assert own.gradient_source == "given"
    np.testing.assert_array_equal(own.gradient(points), known.gradient(points))
    np.testing.assert_allclose(own.hessian(points), known.hessian(points), rtol=1e-7, atol=1e-5)
    with_hessian = function_of(banana, bounds=BOX, gradient=known.gradient, hessian=known.hessian)
    np.testing.assert_array_equal(with_hessian.hessian(points), known.hessian(points))


def test_a_gradient_written_for_one_point_is_called_point_by_point(points):
    known = function("rosenbrock")

    def gradient(x):
        bend = 200 * (x[1] - x[0] ** 2)
        return [2 * (x[0] - 1) - 2 * x[0] * bend, bend]

    own = function_of(banana, bounds=BOX, gradient=gradient)
    np.testing.assert_allclose(own.gradient(points), known.gradient(points), rtol=1e-12)


def test_a_wrong_gradient_is_refused():
    with pytest.raises(ArgumentError, match="not the derivative of the function"):
        function_of(banana, bounds=BOX, gradient=lambda x: -function("rosenbrock").gradient(x))


def test_points_go_in_one_call_when_the_callable_takes_them():
    many = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    at_once, one_by_one = Counted(banana), Counted(banana_of_one_point)
    fast, slow = function_of(at_once), function_of(one_by_one)
    at_once.calls = one_by_one.calls = 0
    np.testing.assert_allclose(fast.gradient(many), slow.gradient(many), rtol=1e-9, atol=1e-8)
    assert at_once.calls == 1
    assert one_by_one.calls == 2000


def test_a_callable_that_mixes_up_points_and_coordinates_is_not_trusted():
    # With as many points as coordinates x[0] would have the right shape and the wrong content.
    own = function_of(lambda x: x[0] ** 2 + 3 * x[1] ** 2)
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(own.value(x), [13.0, 57.0])


def test_single_precision_points_give_single_precision_results():
    own = function_of(banana)
    x = np.array([[0.5, 0.25]], dtype=np.float32)
    assert own.value(x).dtype == own.gradient(x).dtype == own.hessian(x).dtype == np.float32
    np.testing.assert_allclose(own.gradient(x), [[-1, 0]], atol=1e-5)


def test_memory_order_of_a_batch_is_kept():
    x = np.asfortranarray(np.random.default_rng(0).uniform(-1, 1, (7, 2)))
    assert function_of(banana).gradient(x).flags.f_contiguous


def test_what_is_known_is_told():
    own = function_of(banana, bounds=BOX, start=(-1.2, 1), minima=(1, 1))
    assert own.dimension == 2
    assert own.name == own.title == "banana"
    assert own.formula == "100 (y − x²)² + (1 − x)²."
    np.testing.assert_array_equal(own.bounds, BOX)
    np.testing.assert_array_equal(own.start, [-1.2, 1])
    np.testing.assert_array_equal(own.minima, [[1, 1]])
    assert own.minimum == 0
    unknown = function_of(lambda x: x @ x, dimension=3, bounds=(-1, 1), name="My bowl")
    assert unknown.name == "My_bowl"
    assert math.isnan(unknown.minimum)
    assert unknown.minima.shape == (0, 3)
    np.testing.assert_array_equal(unknown.start, [0.5, 0.5, 0.5])


def test_one_coordinate_is_enough():
    own = function_of(lambda x: x[..., 0] ** 2, dimension=1, bounds=(-3, 3))
    np.testing.assert_allclose(own.gradient(np.array([[2.0], [-1.0]])), [[4.0], [-2.0]], rtol=1e-9)


def test_what_math_refuses_on_the_way_is_no_number():
    own = function_of(lambda x: math.sqrt(x[0]) + math.exp(x[1]), bounds=(0.5, 4))
    values = own.value(np.array([[4.0, 0.0], [-1.0, 0.0], [4.0, 1e6]]))
    assert values[0] == 3
    assert np.isnan(values[1:]).all()
    cubic_root = function_of(lambda x: float(x[0]) ** (1 / 3) + x[1] ** 2, bounds=(0.5, 4))
    np.testing.assert_array_equal(cubic_root.value(np.array([[1.0, 2.0], [-1.0, 2.0]])), [5.0, math.nan])


def at_once(x):
    if (x[..., 0] < -4).any():
        raise ZeroDivisionError("too far")
    return (x * x).sum(axis=-1)


def one_by_one(x):
    return 1 / 0 if x[0] < -4 else x[0] ** 2 + x[1] ** 2


@pytest.mark.parametrize("fails", [at_once, one_by_one])
def test_an_error_far_from_the_start_names_the_point(fails):
    own = function_of(fails, bounds=(-3, 3))
    points = np.array([[1.0, 1.0], [-4.5, 1.0]])
    with pytest.raises(ArgumentError, match=r"raised ZeroDivisionError at \[-4\.5, 1\.0\]") as caught:
        own.value(points)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    np.testing.assert_array_equal(own.value(points[:1]), [2.0])


def test_infinity_and_no_number_on_the_way_are_data():
    own = function_of(lambda x: math.inf if x[0] < -4 else (math.nan if x[0] > 4 else x[0] ** 2 + x[1] ** 2))
    values = own.value(np.array([[-5.0, 0.0], [5.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(values, [math.inf, math.nan, 1.0])


def test_a_return_that_is_missing_far_from_the_start_names_the_point():
    def forgets(x):
        if x[0] > -4:
            return x[0] ** 2
        return None

    own = function_of(forgets, bounds=(-3, 3))
    with pytest.raises(ArgumentError, match=r"returned None at \[-5\.0, 0\.0\]: is a `return` missing"):
        own.value(np.array([[0.0, 0.0], [-5.0, 0.0]]))


def test_a_function_that_draws_numbers_is_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match=r"The function is random.*noise of race"):
        function_of(lambda x: (x * x).sum(axis=-1) + generator.normal(size=x.shape[:-1]))
    with pytest.raises(ArgumentError, match="The gradient is random"):
        function_of(banana, gradient=lambda x: function("rosenbrock").gradient(x) + generator.normal(size=x.shape))
    fixed = function_of(lambda x: (x * x).sum(axis=-1) + np.random.default_rng(1).normal())
    assert fixed.value(np.zeros(2)) == np.random.default_rng(1).normal()


def wrong_cases():
    def raises(x):
        raise KeyError("weights")

    return [
        ({"callable": 3}, "can be called"),
        ({"callable": raises}, "raised KeyError at the start"),
        ({"callable": lambda x: x}, r"one number for a point of 2 coordinates. Received: shape \(2,\)"),
        ({"callable": lambda x: "3"}, "returns one number"),
        ({"callable": lambda x: None}, "returned None at .* is a `return` missing"),
        ({"callable": lambda x: 1j * x[0]}, "returned a complex number at the start"),
        ({"callable": lambda x: (x[0] + 0j) ** 2}, "real part"),
        ({"callable": lambda x: math.nan}, "not finite at the start"),
        ({"callable": lambda x: x[0] / 0 if x[0] else 0.0}, "not finite at the start|raised ZeroDivisionError"),
        ({"callable": banana, "dimension": 0}, "at least 1"),
        ({"callable": banana, "start": (1, 2, 3)}, "start has 2 coordinates"),
        ({"callable": banana, "start": (1, math.inf)}, "finite"),
        ({"callable": banana, "bounds": (1, -1)}, "below the upper"),
        ({"callable": banana, "bounds": (1, 2, 3)}, "one pair"),
        ({"callable": banana, "minima": [[1, 2, 3]]}, "points of 2 coordinates"),
        ({"callable": banana, "bounds": "wide"}, "numbers"),
        ({"callable": banana, "gradient": lambda x: x[0]}, "gradient returns an array"),
        ({"callable": banana, "hessian": lambda x: x}, "hessian returns an array"),
    ]


@pytest.mark.parametrize(("arguments", "message"), wrong_cases())
def test_what_cannot_work_is_refused_before_any_work(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        function_of(**arguments)


def test_the_original_error_is_chained():
    def raises(x):
        raise KeyError("weights")

    with pytest.raises(ArgumentError) as caught:
        function_of(raises)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_unknown_way_names_the_known_ones():
    with pytest.raises(UnknownName, match="finite differences"):
        function_of(banana, gradient="finite diferences")
