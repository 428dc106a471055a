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
@pytest.mark.parametrize("way", ["auto", "autograd", "autograd (torch)"])
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
        own_function(lambda x: torch.sqrt(x[0]) + np.sin(x[1]))


def random_bowl(x):
    return (x * x).sum(axis=-1) + float(np.random.default_rng().normal())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "can be called"),
        (lambda x: x["weight"], "raised IndexError"),
        (lambda x: undefined, "raised NameError"),  # that is the fault
        (lambda x: None, "is a `return` missing"),
        (lambda x: x, r"Received: shape \(2,\)"),
        (lambda x: "high", "Received: 'high'"),
        (lambda x: 1j * x[0], "complex number"),
        (lambda x: math.nan, "not finite at the start"),
        (random_bowl, "is random"),
    ],
)
@pytest.mark.parametrize("way", ["auto", "autograd", "finite differences"])
def test_what_is_wrong_with_all_arrays_is_said_once(wrong, message, way):
    with pytest.raises(ArgumentError, match=message) as caught:
        own_function(wrong, gradient=way)
    assert " tensors: " not in str(caught.value)


@pytest.mark.parametrize("spread", [True, False])
def test_an_error_far_from_the_start_names_the_point(spread):
    def fails(x):
        if bool((x[..., 0] < -6).any()):
            raise ZeroDivisionError("too far")
        return (x * x).sum(-1) if spread else x[0] ** 2 + x[1] ** 2

    own = own_function(fails)
    assert own.gradient_source == "autograd (torch)"
    for compute in (own.value, own.gradient, own.hessian):
        with pytest.raises(ArgumentError, match=r"raised ZeroDivisionError at \[-7\.0, 1\.0\]") as caught:
            compute(np.array([[1.0, 1.0], [-7.0, 1.0]]))
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_infinity_and_a_constant_on_the_way_are_data():
    own = own_function(lambda x: math.inf if x[0] < -6 else x[0] ** 2 + x[1] ** 2, gradient="autograd")
    points = np.array([[-7.0, 0.0], [1.0, 2.0]])
    np.testing.assert_array_equal(own.value(points), [math.inf, 5])
    np.testing.assert_array_equal(own.gradient(points), [[0, 0], [2, 4]])
    root = own_function(lambda x: torch.sqrt(x[..., 0]) + x[..., 1] ** 2, gradient="autograd", bounds=(0.5, 4))
    assert math.isnan(root.value(np.array([-1.0, 0.0])))


def test_what_can_be_differentiated_only_once_has_a_hessian_of_differences():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**3

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(context, above):
            (x,) = context.saved_tensors
            return above * 3 * x**2

    own = own_function(lambda x: Once.apply(x).sum(-1), gradient="autograd")
    np.testing.assert_allclose(own.hessian(np.array([1.0, 2.0])), [[6, 0], [0, 12]], rtol=1e-8, atol=1e-8)
    with_exact_part = own_function(lambda x: Once.apply(x[..., 0]) + x[..., 1] ** 3, gradient="autograd")
    np.testing.assert_allclose(with_exact_part.hessian(np.ones(2)), [[6, 0], [0, 6]], rtol=1e-8, atol=1e-8)


def test_wrong_ways_and_wrong_results_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'autograd'"):
        own_function(banana, gradient="autogard")
    with pytest.raises(UnknownName, match=r"'autograd \(torch\)'"):
        own_function(banana, gradient="autograd (toch)")
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
