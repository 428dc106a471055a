"""Noise and sparsity: their statistics, and that they depend on seed and step alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.problems.functions import function
from optiscope.problems.modifiers import GradientNoise, Rotation, Shift, SparseGradients

pytestmark = pytest.mark.slow

ROSENBROCK = function("rosenbrock")
COVARIANCE = np.array([[2.0, -0.6], [-0.6, 0.5]])
MANY = np.arange(40_000)


def modifiers():
    return [
        GradientNoise(base=ROSENBROCK, covariance=COVARIANCE),
        GradientNoise(base=ROSENBROCK, covariance=0.3, degrees_of_freedom=3),
        SparseGradients(base=ROSENBROCK, probability=0.4),
    ]


@pytest.mark.parametrize("problem", modifiers(), ids=lambda one: one.change)
def test_what_is_random_depends_on_seed_and_step_alone(problem):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 6, 2))
    seeds = np.array([3, 1, 3, 7, 2**40, -5])
    together = problem.stochastic_gradient(x, step=11, seeds=seeds)
    for i in range(2):
        for j, seed in enumerate(seeds):
            alone = problem.stochastic_gradient(x[i, j], step=11, seeds=np.array(seed))
            np.testing.assert_array_equal(alone, together[i, j])
    assert (problem.stochastic_gradient(x, step=12, seeds=seeds) != together).any()
    assert (problem.stochastic_gradient(x, step=11, seeds=seeds + 1) != together).any()


@pytest.mark.parametrize("problem", modifiers(), ids=lambda one: one.change)
def test_everything_but_the_stochastic_gradient_is_exact(problem):
    x = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    np.testing.assert_array_equal(problem.value(x), ROSENBROCK.value(x))
    np.testing.assert_array_equal(problem.gradient(x), ROSENBROCK.gradient(x))
    np.testing.assert_array_equal(problem.hessian(x), ROSENBROCK.hessian(x))
    np.testing.assert_array_equal(problem.minima, ROSENBROCK.minima)
    np.testing.assert_array_equal(problem.start, ROSENBROCK.start)
    assert problem.minimum == ROSENBROCK.minimum
    assert problem.name == f"rosenbrock + {problem.change}"
    assert problem.title == f"Rosenbrock + {problem.change}"
    assert problem.formula == ROSENBROCK.formula
    assert problem.gradient_source == "closed form"


@pytest.mark.parametrize("problem", modifiers(), ids=lambda one: one.change)
def test_dtype_and_shape_are_those_of_the_points(problem):
    for dtype in (np.float32, np.float64):
        x = np.ones((0, 4, 2), dtype=dtype)
        assert problem.stochastic_gradient(x, step=0, seeds=np.zeros(4, dtype=int)).shape == x.shape
        x = np.ones((3, 2), dtype=dtype)
        gradient = problem.stochastic_gradient(x, step=0, seeds=np.zeros(1, dtype=int))
        assert gradient.shape == x.shape
        assert gradient.dtype == dtype


def test_gaussian_noise_has_the_covariance_that_was_asked_for():
    noise = GradientNoise(base=ROSENBROCK, covariance=COVARIANCE).noise(step=5, seeds=MANY)
    # Standard errors: √(C/n) ≈ 0.007 of the mean, about C √(2/n) ≈ 0.014 of the covariance. Five of them.
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.035)
    np.testing.assert_allclose(np.cov(noise.T), COVARIANCE, atol=0.07)
    kurtosis = (noise[:, 0] ** 4).mean() / (noise[:, 0] ** 2).mean() ** 2
    assert kurtosis == pytest.approx(3, abs=0.15)


def test_a_scalar_and_a_vector_are_variances():
    scalar = GradientNoise(base=ROSENBROCK, covariance=0.25).noise(step=0, seeds=MANY)
    np.testing.assert_allclose(scalar.std(axis=0), 0.5, rtol=0.02)
    vector = GradientNoise(base=ROSENBROCK, covariance=[0.25, 4.0]).noise(step=0, seeds=MANY)
    np.testing.assert_allclose(vector.std(axis=0), [0.5, 2.0], rtol=0.02)
    np.testing.assert_allclose(vector, scalar * [1.0, 4.0], rtol=1e-12)


def test_noise_of_zero_and_of_one_direction_are_possible():
    none = GradientNoise(base=ROSENBROCK, covariance=0.0)
    x = np.array([0.5, 0.5])
    np.testing.assert_array_equal(none.stochastic_gradient(x, step=0, seeds=np.array(0)), ROSENBROCK.gradient(x))
    along = GradientNoise(base=ROSENBROCK, covariance=[[1.0, 1.0], [1.0, 1.0]]).noise(step=0, seeds=MANY[:100])
    np.testing.assert_allclose(along[:, 0], along[:, 1], atol=1e-7)
    assert along.std() > 0.8


def test_a_heavy_tail_has_the_quantiles_of_student_t():
    stats = pytest.importorskip("scipy.stats")
    noise = GradientNoise(base=ROSENBROCK, covariance=4.0, degrees_of_freedom=3).noise(step=0, seeds=MANY)
    for share in (0.05, 0.5, 0.95, 0.99):
        below = (noise[:, 1] < 2 * stats.t(3).ppf(share)).mean()
        assert below == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / len(MANY)))
    gaussian = GradientNoise(base=ROSENBROCK, covariance=4.0)
    limit = GradientNoise(base=ROSENBROCK, covariance=4.0, degrees_of_freedom=math.inf)
    np.testing.assert_array_equal(limit.noise(step=0, seeds=MANY[:9]), gaussian.noise(step=0, seeds=MANY[:9]))


def test_sparse_gradients_keep_their_share_and_their_mean():
    x = np.tile([-1.2, 1.0], (len(MANY), 1))
    problem = SparseGradients(base=ROSENBROCK, probability=0.3)
    seen = problem.stochastic_gradient(x, step=3, seeds=MANY)
    assert ((seen == 0) | np.isclose(seen, ROSENBROCK.gradient(x) / 0.3)).all()
    np.testing.assert_allclose((seen != 0).mean(axis=0), 0.3, atol=0.012)
    np.testing.assert_allclose(seen.mean(axis=0), ROSENBROCK.gradient(x[0]), rtol=0.04)
    both = (seen != 0).all(axis=1).mean()
    assert both == pytest.approx(0.09, abs=0.008)
    biased = SparseGradients(base=ROSENBROCK, probability=0.3, unbiased=False)
    np.testing.assert_allclose(biased.stochastic_gradient(x, step=3, seeds=MANY), seen * 0.3, rtol=1e-14)
    everything = SparseGradients(base=ROSENBROCK, probability=1)
    np.testing.assert_array_equal(everything.stochastic_gradient(x, step=3, seeds=MANY), ROSENBROCK.gradient(x))


def test_modifiers_on_top_of_each_other_do_not_draw_the_same_numbers():
    inner = GradientNoise(base=ROSENBROCK)
    outer = GradientNoise(base=inner)
    assert outer.depth == 2
    a, b = inner.noise(step=0, seeds=MANY), outer.noise(step=0, seeds=MANY)
    assert abs(np.corrcoef(a[:, 0], b[:, 0])[0, 1]) < 0.03
    x = np.zeros((len(MANY), 2))
    total = outer.stochastic_gradient(x, step=0, seeds=MANY) - ROSENBROCK.gradient(x)
    np.testing.assert_allclose(total, a + b, atol=1e-14)


def test_noise_below_a_rotation_is_rotated():
    turned = Rotation(base=GradientNoise(base=ROSENBROCK, covariance=[9.0, 0.0]), degrees=90)
    x = np.zeros((1, 2))
    noise = turned.stochastic_gradient(x, step=0, seeds=np.array([1])) - turned.gradient(x)
    assert abs(noise[0, 0]) < 1e-12
    assert abs(noise[0, 1]) > 0.1


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (-1.0, "not negative"),
        ([1.0, -2.0], "not negative"),
        ([1.0, 2.0, 3.0], r"2 variances or a 2×2 matrix. Received: shape \(3,\)"),
        ([[1.0, 0.5], [0.2, 1.0]], "symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "positive semidefinite"),
        (math.nan, "finite"),
        (math.inf, "finite"),
        ("loud", "made of numbers"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, message):
    with pytest.raises(ArgumentError, match=message):
        GradientNoise(base=ROSENBROCK, covariance=covariance)


def test_other_wrong_settings_are_refused():
    with pytest.raises(ArgumentError, match="Degrees of freedom are positive"):
        GradientNoise(base=ROSENBROCK, degrees_of_freedom=0)
    for wrong in (0.0, 1.1, -0.2, math.nan):
        with pytest.raises(ArgumentError, match="probability"):
            SparseGradients(base=ROSENBROCK, probability=wrong)
    with pytest.raises(ArgumentError, match="modifier changes a function"):
        Shift(base="rosenbrock", offset=1)
