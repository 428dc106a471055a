"""The entry that chooses between autograd and finite differences."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.experiments.own_function import own_function
from optiscope.problems.functions import function
from tests.optional_parts import require

require("torch")

import torch  # noqa: E402  # only where it is

BOX = [[-2.0, 2.0], [-1.0, 3.0]]


def banana(x):
    return 100 * (x[..., 1] - x[..., 0] ** 2) ** 2 + (1 - x[..., 0]) ** 2


def banana_of_one_point(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def banana_of_coordinates(x, y):
    return 100 * torch.square(y - x**2) + (1 - x) ** 2


@pytest.mark.parametrize("written", [banana, banana_of_one_point, banana_of_coordinates])
@pytest.mark.parametrize("way", ["auto", "autograd"])
def test_autograd_gives_the_derivatives_in_closed_form(written, way):
    own, known = own_function(written, bounds=BOX, gradient=way), function("rosenbrock")
    assert own.gradient_source == "autograd (torch)"
    x = np.random.default_rng(0).uniform([-2, -1], [2, 3], (3, 4, 2))
    np.testing.assert_allclose(own.value(x), known.value(x), rtol=1e-13)
    np.testing.assert_allclose(own.gradient(x), known.gradient(x), rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(own.hessian(x), known.hessian(x), rtol=1e-12, atol=1e-11)
    assert own.gradient(x.astype(np.float32)).dtype == np.float32
    assert own.value(x[0, 0]).shape == ()
    assert own.hessian(x[:0]).shape == (0, 4, 2, 2)


def test_a_function_that_is_linear_in_a_coordinate_has_a_hessian_with_zeros():
    own = own_function(lambda x: x[..., 0] ** 2 + 3 * x[..., 1], gradient="autograd")
    np.testing.assert_array_equal(own.hessian(np.ones((2, 2))), np.tile([[2.0, 0.0], [0.0, 0.0]], (2, 1, 1)))
    line = own_function(lambda x: 2 * x[..., 0] + 3 * x[..., 1], gradient="autograd")
    np.testing.assert_array_equal(line.hessian(np.ones((2, 2))), np.zeros((2, 2, 2)))


def test_autograd_works_where_gradients_are_switched_off():
    with torch.no_grad():
        own = own_function(banana, gradient="autograd")
        np.testing.assert_allclose(own.gradient(np.array([-1.2, 1.0])), [-215.6, -88.0])


@pytest.mark.parametrize(
    "written", [lambda x: np.sin(x[..., 0]) + x[..., 1] ** 2, lambda x: math.sin(x[0]) + float(x[1]) ** 2]
)
def test_what_torch_cannot_follow_is_differentiated_by_differences(written):
    own = own_function(written)
    assert own.gradient_source == "finite differences"
    np.testing.assert_allclose(own.gradient(np.array([1.0, 2.0])), [math.cos(1), 4], rtol=1e-9)
    with pytest.raises(ArgumentError, match=r"finite differences|operations of torch"):
        own_function(written, gradient="autograd")


def test_a_hessian_may_be_given_beside_autograd():
    known = function("rosenbrock")
    own = own_function(banana, bounds=BOX, hessian=known.hessian)
    x = np.array([[0.3, 0.7]])
    assert own.gradient_source == "autograd (torch)"
    np.testing.assert_array_equal(own.hessian(x), known.hessian(x))


def test_a_callable_that_works_nowhere_says_both_reasons():
    with pytest.raises(ArgumentError, match=r"With NumPy arrays: .* With torch tensors: "):
        own_function(lambda x: x["weight"])


def test_wrong_ways_and_wrong_results_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'autograd'"):
        own_function(banana, gradient="autogard")
    with pytest.raises(UnknownName):
        own_function(banana, hessian="autograd")
    with pytest.raises(ArgumentError, match=r"Received: shape \(2,\)"):
        own_function(lambda x: 2 * x, gradient="autograd")
    with pytest.raises(ArgumentError, match="not finite at the start"):
        own_function(lambda x: torch.sqrt(x[..., 0]) + x[..., 1], start=(-1, 0), gradient="autograd")


def test_no_framework_is_loaded_unless_the_program_has():
    code = (
        "from optiscope.experiments.own_function import own_function; import sys; "
        "own = own_function(lambda x: x[..., 0] ** 2 + x[..., 1] ** 2); "
        "assert own.gradient_source == 'finite differences' and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
