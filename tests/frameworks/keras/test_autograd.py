"""Own functions of TensorFlow tensors."""

from __future__ import annotations

from tests.optional_parts import require

require("keras", "tensorflow")

import numpy as np  # noqa: E402 - only where TensorFlow is
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402

from optiscope.errors import ArgumentError  # noqa: E402
from optiscope.experiments.own_function import own_function  # noqa: E402
from optiscope.problems.functions import function  # noqa: E402

BOX = [[-2.0, 2.0], [-1.0, 3.0]]


def banana(x):
    return 100 * (x[..., 1] - x[..., 0] ** 2) ** 2 + (1 - x[..., 0]) ** 2


def banana_of_one_point(x):
    return 100 * tf.square(x[1] - x[0] ** 2) + (1 - x[0]) ** 2


def banana_of_coordinates(x, y):
    return 100 * tf.square(y - x**2) + (1 - x) ** 2


@pytest.mark.parametrize("written", [banana, banana_of_one_point, banana_of_coordinates])
@pytest.mark.parametrize("way", ["auto", "autograd (tensorflow)"])
def test_autograd_gives_the_derivatives_in_closed_form(written, way):
    own, known = own_function(written, bounds=BOX, gradient=way), function("rosenbrock")
    assert own.gradient_source == "autograd (tensorflow)"
    x = np.random.default_rng(0).uniform([-2, -1], [2, 3], (2, 3, 2))
    np.testing.assert_allclose(own.value(x), known.value(x), rtol=1e-13)
    np.testing.assert_allclose(own.gradient(x), known.gradient(x), rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(own.hessian(x), known.hessian(x), rtol=1e-12, atol=1e-11)
    assert own.value(x[0, 0]).shape == ()
    assert own.hessian(x[:0]).shape == (0, 3, 2, 2)


def test_points_go_in_one_call_when_the_callable_takes_them():
    own = own_function(banana, bounds=BOX)
    assert own.derivatives.manner == "all points at once"
    assert own_function(banana_of_one_point, bounds=BOX).derivatives.manner == "one point at a time"


def test_a_linear_function_has_a_hessian_of_zeros():
    line = own_function(lambda x: 2 * x[..., 0] + 3 * x[..., 1], gradient="autograd")
    np.testing.assert_array_equal(line.hessian(np.ones((2, 2))), np.zeros((2, 2, 2)))


def test_what_tensorflow_cannot_follow_is_differentiated_by_differences():
    def written(x):
        return np.sin(np.asarray(x)[..., 0]) + np.asarray(x)[..., 1] ** 2

    own = own_function(written)
    assert own.gradient_source == "finite differences"
    np.testing.assert_allclose(own.gradient(np.array([1.0, 2.0])), [np.cos(1), 4], rtol=1e-9)
    with pytest.raises(ArgumentError, match="operations of tensorflow"):
        own_function(written, gradient="autograd")
    with pytest.raises(ArgumentError, match="cannot follow"):
        own_function(lambda x: tf.stop_gradient(x[0] + x[1]), gradient="autograd")


def test_an_error_far_from_the_start_names_the_point():
    def fails(x):
        if float(x[0]) < -3:
            raise KeyError("weights")
        return x[0] ** 2 + x[1] ** 2

    own = own_function(fails, gradient="autograd")
    with pytest.raises(ArgumentError, match=r"raised KeyError at \[-4\.0, 1\.0\]") as caught:
        own.gradient(np.array([[1.0, 1.0], [-4.0, 1.0]]))
    assert isinstance(caught.value.__cause__, KeyError)


def test_random_functions_are_refused():
    with pytest.raises(ArgumentError, match="is random"):
        own_function(lambda x: x[0] ** 2 + tf.random.uniform([], dtype="float64"), gradient="autograd")
