"""Logistic regression: the loss and its minimum against scikit-learn, and mini-batches."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from optiscope.errors import ArgumentError, MissingDependency, UnknownName
from optiscope.problems.functions import function
from tests.optional_parts import require

require("sklearn")


@pytest.mark.parametrize("data", ["breast_cancer", "iris", "wine"])
def test_the_minimum_is_the_one_that_scikit_learn_finds(data):
    from sklearn import datasets
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    problem = function("logistic_regression", data=data, penalty=0.05)
    features, labels = getattr(datasets, f"load_{data}")(return_X_y=True)
    scaled = StandardScaler().fit_transform(features)
    # Theirs is the sum of the losses, with the penalty divided by C.
    theirs = LogisticRegression(C=1 / (0.05 * len(labels)), tol=1e-10, max_iter=10_000, solver="newton-cholesky")
    theirs.fit(scaled, labels == 1)
    expected = np.append(theirs.coef_[0], theirs.intercept_)
    np.testing.assert_allclose(problem.minima[0], expected, atol=1e-6)
    probabilities = theirs.predict_proba(scaled)[np.arange(len(labels)), (labels == 1).astype(int)]
    loss = -np.log(probabilities).mean() + 0.05 / 2 * (theirs.coef_**2).sum()
    assert problem.minimum == pytest.approx(loss, rel=1e-9)
    assert problem.dimension == features.shape[1] + 1
    assert problem.value(problem.start) == pytest.approx(np.log(2), rel=1e-12)


def test_an_epoch_of_mini_batches_has_every_sample_once():
    problem = function("logistic_regression(data=iris, batch_size=64)")
    assert problem.batches == 3
    for epoch in range(2):
        parts = [problem.batch(seed=5, step=3 * epoch + k) for k in range(3)]
        assert [len(part) for part in parts] == [64, 64, 22]
        assert sorted(np.concatenate(parts)) == list(range(150))
    assert (problem.batch(seed=5, step=0) != problem.batch(seed=5, step=3)).any()
    assert (problem.batch(seed=5, step=0) != problem.batch(seed=6, step=0)).any()


def test_the_gradients_of_the_mini_batches_average_to_the_gradient():
    problem = function("logistic_regression(data=wine, batch_size=50)")
    x = np.random.default_rng(0).standard_normal((2, problem.dimension))
    sizes = [50, 50, 50, 28]
    parts = [problem.stochastic_gradient(x, step=k, seeds=np.array(1)) for k in range(4)]
    mean = sum(size * part for size, part in zip(sizes, parts, strict=True)) / 178
    np.testing.assert_allclose(mean, problem.gradient(x), rtol=1e-10, atol=1e-14)


def test_the_loss_of_a_mini_batch_is_what_its_gradient_is_of():
    problem = function("logistic_regression(data=wine, batch_size=50)")
    x = 0.3 * np.random.default_rng(0).standard_normal((3, problem.dimension))
    steps = 1e-6 * np.eye(problem.dimension)
    for step in (0, 3, 5):
        rise = problem.batch_value(x[:, np.newaxis] + steps, step=step, seed=7)
        fall = problem.batch_value(x[:, np.newaxis] - steps, step=step, seed=7)
        gradient = problem.stochastic_gradient(x, step=step, seeds=np.array(7))
        np.testing.assert_allclose((rise - fall) / 2e-6, gradient, rtol=1e-6, atol=1e-8)
    values = [size * problem.batch_value(x, step=k, seed=1) for k, size in enumerate([50, 50, 50, 28])]
    np.testing.assert_allclose(sum(values) / 178, problem.value(x), rtol=1e-12)
    assert (problem.batch_value(x, step=0, seed=1) != problem.batch_value(x, step=0, seed=2)).all()


def test_each_row_meets_the_mini_batch_of_its_seed():
    problem = function("logistic_regression(data=iris, batch_size=10)")
    x = np.asfortranarray(np.random.default_rng(0).standard_normal((6, 5)))
    seeds = np.array([4, 1, 4, 2, 1, 4])
    together = problem.stochastic_gradient(x, step=7, seeds=seeds)
    assert together.flags.f_contiguous
    for i, seed in enumerate(seeds):
        alone = problem.stochastic_gradient(x[i], step=7, seeds=np.array(seed))
        np.testing.assert_allclose(together[i], alone, rtol=1e-12)
    assert (problem.stochastic_gradient(x, step=8, seeds=seeds) != together).any()
    assert problem.stochastic_gradient(x[:0], step=7, seeds=seeds[:0]).shape == (0, 5)


def test_without_a_batch_size_nothing_is_random():
    problem = function("logistic_regression(data=iris)")
    x = np.ones((3, 5))
    np.testing.assert_array_equal(problem.stochastic_gradient(x, step=1, seeds=np.arange(3)), problem.gradient(x))


def test_extreme_weights_do_not_overflow_to_no_number():
    problem = function("logistic_regression(data=iris)")
    with np.errstate(over="ignore"):
        assert np.isfinite(problem.value(np.full(5, 1e6)))
        assert np.isfinite(problem.gradient(np.full(5, 1e6))).all()
        assert np.isfinite(problem.hessian(np.full(5, -1e6))).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"penalty": 0.0}, "penalty"), ({"penalty": float("nan")}, "penalty"), ({"batch_size": 0}, "mini-batch"),
     ({"batch_size": 570}, "569 samples")],
)  # fmt: skip
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        function("logistic_regression", **settings)


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(UnknownName, match="Did you mean 'iris'"):
        function("logistic_regression", data="irs")


def test_a_machine_without_scikit_learn_is_told_what_to_install(monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else known(name))
    with pytest.raises(MissingDependency, match=r"scikit-learn.*optiscope\[demo\]"):
        function("logistic_regression")
