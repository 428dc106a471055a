"""The fitting problem: the data of the experiment, its exact minimum, and its mini-batches."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.functions import function
from optiscope.problems.functions.linear_fit import LinearFit


def loss(inputs, targets, point):
    return 0.5 * np.mean((inputs[:, :2] @ point[:2] + point[2] - targets) ** 2)


@pytest.fixture
def problem() -> LinearFit:
    return function("linear_fit")


def test_the_data_are_as_described(problem):
    inputs, targets, _ = problem._data
    assert inputs.shape == (1000, 3)
    np.testing.assert_allclose(inputs[:, :2].mean(axis=0), 0, atol=0.15)
    np.testing.assert_allclose(inputs[:, :2].std(axis=0), 1, atol=0.12)
    noise = (targets - inputs[:, :2] @ [0.5, 0.8]) / 0.01
    assert 0 <= noise.min() < 0.01
    assert 0.99 < noise.max() < 1
    assert noise.mean() == pytest.approx(0.5, abs=0.04)


def test_the_minimum_is_near_the_weights_that_made_the_data(problem):
    np.testing.assert_allclose(problem.minima, [[0.5, 0.8, 0.005]], atol=4e-4)
    # Half the variance of the uniform noise, 0.01² / 12.
    assert problem.minimum == pytest.approx(0.01**2 / 24, rel=0.1)


def test_the_value_is_the_mean_over_all_samples(problem):
    inputs, targets, _ = problem._data
    for point in np.random.default_rng(0).standard_normal((5, 3)):
        assert problem.value(point) == pytest.approx(loss(inputs, targets, point), rel=1e-12)
    assert loss(inputs, targets, problem.minima[0]) == pytest.approx(problem.minimum, rel=1e-10)


def test_a_mini_batch_is_64_samples_in_order_and_the_last_one_40(problem):
    inputs, targets, _ = problem._data
    assert problem.batches == 16
    x = np.random.default_rng(1).standard_normal((4, 3))
    for step, samples in ((0, slice(0, 64)), (3, slice(192, 256)), (15, slice(960, 1000)), (16, slice(0, 64))):
        part, wanted = inputs[samples], targets[samples]
        expected = (x @ part.T - wanted) @ part / len(part)
        for seed in (0, 9):
            seen = problem.stochastic_gradient(x, step=step, seeds=np.full(4, seed))
            np.testing.assert_allclose(seen, expected, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(
            problem.batch_value(x, step=step, seed=9), [loss(part, wanted, point) for point in x], rtol=1e-12
        )


def test_the_mini_batches_average_to_the_gradient(problem):
    x = np.random.default_rng(2).standard_normal((4, 3))
    sizes = [64] * 15 + [40]
    mean = sum(n * problem.stochastic_gradient(x, step=k, seeds=np.array(0)) for k, n in enumerate(sizes)) / 1000
    np.testing.assert_allclose(mean, problem.gradient(x), rtol=1e-11)


def test_another_seed_makes_other_data_and_another_start():
    first, second = LinearFit(seed=1), LinearFit(seed=2)
    assert (first.start[:2] != second.start[:2]).all()
    assert (first.minima != second.minima).all()
    assert first.start[2] == 0


def test_gradient_descent_in_mini_batches_finds_the_weights(problem):
    x = problem.start
    for step in range(30 * 16):
        x = x - 0.05 * problem.stochastic_gradient(x, step=step, seeds=np.array(0))
    np.testing.assert_allclose(x, [0.5, 0.8, 0.005], atol=1e-3)


@pytest.mark.parametrize("settings", [{"samples": 3}, {"batch_size": 0}, {"batch_size": 1001}, {"noise": -1.0}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ArgumentError, match="Received"):
        LinearFit(**settings)
