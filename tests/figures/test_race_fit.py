"""Losses of mini-batches, iteration by iteration and epoch by epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.experiments.race.presets import preset
from optiscope.figures.race_fit import batch_losses, epoch_means, race_fit
from optiscope.problems.functions import function
from tests.figures.made_races import valley_race


@pytest.fixture(scope="module")
def fit():
    return preset("fit")


def test_an_iterations_loss_is_that_of_its_own_samples_before_the_update(fit):
    path = fit.paths[0]
    problem = fit.problem
    generator = np.random.default_rng(problem.seed)
    inputs = generator.standard_normal((1000, 2))
    targets = inputs @ [0.5, 0.8] + 0.01 * generator.random(1000)
    losses = batch_losses(problem, path)
    assert len(losses) == 480
    for step in (0, 15, 16, 479):
        rows = slice(step % 16 * 64, step % 16 * 64 + 64)
        outputs = inputs[rows] @ path.points[step, :2] + path.points[step, 2]
        assert losses[step] == pytest.approx(0.5 * np.mean((outputs - targets[rows]) ** 2), rel=1e-12)


def test_each_path_is_judged_by_the_mini_batches_of_its_own_seed():
    problem = function("linear_fit")

    class Shuffled(type(problem)):
        def batch_value(self, x, *, step, seed):
            return np.float64(100 * seed + step)

    path = replace(valley_race().paths[0], seed=4)
    np.testing.assert_array_equal(batch_losses(Shuffled(), path), 400 + np.arange(path.steps))


def test_an_epochs_mean_is_over_its_own_iterations(fit):
    losses = batch_losses(fit.problem, fit.paths[0])
    means = epoch_means(losses, 16)
    assert len(means) == 30
    np.testing.assert_allclose(means, losses.reshape(30, 16).mean(axis=1))
    np.testing.assert_allclose(epoch_means(np.array([1.0, 3.0, 7.0]), 2), [2.0, 7.0])


def test_both_panels_have_a_line_for_each_optimizer(fit):
    figure = race_fit(fit)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == 10
    assert [len(trace.x) for trace in lines] == [480] * 5 + [30] * 5


def test_without_mini_batches_there_is_nothing_to_draw():
    with pytest.raises(ArgumentError, match="mini-batches"):
        race_fit(valley_race())
