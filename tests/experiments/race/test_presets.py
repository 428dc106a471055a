"""The races with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optiscope.errors import UnknownName
from optiscope.experiments.race.presets import PRESETS, preset
from optiscope.experiments.race.simulation import record
from optiscope.optimizers.registry import rule
from optiscope.problems.functions.registry import function

SPHERE = {
    "sgd": (20, [0.566079987, 4.194304e-14], 0.0640893104),
    "adagrad": (50, [0.03837005, 0.24998814], 0.1252825883),
    "rmsprop": (50, [0.00252965, 0.10352261], 0.0214351393),
    "classical_momentum": (50, [0.20275762, -0.2725841], 0.1568263174),
    "adam": (20, [-0.29364447, 0.42443474], 0.3775351099),
}
SADDLE = {
    "sgd": [0.09747339, -0.07159986],
    "adagrad": [-0.04595201, 0.07561108],
    "rmsprop": [-0.0422924, -0.04821665],
    "adam": [-0.00186641, 0.0051925],
}


@pytest.fixture(scope="module")
def saddle():
    return preset("saddle")


def path_of(race, name):
    (entry,) = (entry for entry in race.entries if entry.rule == name)
    (path,) = race.paths_of(entry.label)
    return path


@pytest.mark.parametrize("name", SPHERE)
def test_the_sphere_ends_where_it_is_known_to_end(name):
    steps, end, loss = SPHERE[name]
    path = path_of(preset("sphere"), name)
    assert path.steps == steps
    np.testing.assert_allclose(path.points[-1], end, rtol=0, atol=6e-9)
    assert path.losses[-1] == pytest.approx(loss, abs=6e-11)
    assert path.diverged_at is None


@pytest.mark.parametrize("name", SADDLE)
def test_the_saddle_ends_where_it_is_known_to_end(saddle, name):
    np.testing.assert_allclose(path_of(saddle, name).points[-1], SADDLE[name], rtol=0, atol=6e-9)


def test_rmsprop_stays_in_the_basin_and_its_end_hangs_on_the_last_digits_of_its_start(saddle):
    """At a rate of 0.1 it swings around the minimum for ever; no end point to eight digits can be meant."""
    path = path_of(saddle, "rmsprop")
    # Far from the saddle at (0.25, −0.5), but thrown out again whenever the running mean of g² has died away.
    assert np.abs(path.points[-60:]).max() < 0.3
    assert np.abs(path.points[-1]).max() < 0.1
    settings = {"learning_rate": 0.1, "beta": 0.9, "epsilon": 1e-7, "epsilon_inside": True}
    starts = np.array([[2.0, 3.0], [2.0 + 1e-12, 3.0]])
    kept = record(function("cubic_saddle"), rule("rmsprop", **settings), starts, steps=150, seeds=np.zeros(2, int))
    apart = np.abs(kept.points[:, 0] - kept.points[:, 1]).max(axis=-1)
    assert apart[20] < 1e-11
    assert apart[150] > 1e-4


def test_momentum_overshoots_the_saddle_and_diverges_at_step_19(saddle):
    path = path_of(saddle, "classical_momentum")
    assert path.diverged_at == 19
    assert np.abs(path.points[18]).max() <= 1e3 < np.abs(path.points[19]).max()
    assert saddle.entries[-1].rule == "classical_momentum"
    assert any("diverges" in note and "step 19" in note for note in saddle.notes)


def test_the_origin_is_a_minimum_and_the_saddle_is_elsewhere(saddle):
    kinds = {one.kind: one.point for one in saddle.critical_points}
    assert sorted(one.kind for one in saddle.critical_points) == ["minimum", "saddle"]
    np.testing.assert_allclose(kinds["minimum"], [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(kinds["saddle"], [0.25, -0.5], atol=1e-12)
    assert any("unbounded below" in note for note in saddle.notes)
    assert any("local minimum" in note for note in saddle.notes)


def test_the_fit_finds_the_weights_that_the_samples_were_made_with():
    race = preset("fit")
    assert race.steps == 480
    for name in ("sgd", "adagrad", "classical_momentum", "adam"):
        # Gradient descent with a rate of 0.01 still has e^(−4.8) of its way to go.
        tolerance = 0.02 if name == "sgd" else 2e-3
        np.testing.assert_allclose(path_of(race, name).points[-1], [0.5, 0.8, 0.005], atol=tolerance)
    # Steps of about its rate of 0.1 for ever, which it does not shrink.
    np.testing.assert_allclose(path_of(race, "rmsprop").points[-1], [0.5, 0.8, 0.005], atol=0.15)


def test_every_preset_has_a_name_that_finds_it():
    assert set(PRESETS) == {"sphere", "saddle", "fit"}
    with pytest.raises(UnknownName, match="saddle"):
        preset("sadle")


def test_gradient_descent_takes_the_one_step_that_is_known():
    """z = xW + b, loss ½(z − y)²: the numbers of the linear model with one sample."""
    x, y, rate = np.array([-4.080414, -1.3719953]), -3.136211, 0.01
    weights = np.array([-4.080414, -1.3719953])
    sgd = rule("sgd", learning_rate=rate)
    gradient = (x @ weights - y) * x
    (update,), _ = sgd.update((gradient,), sgd.init((weights,)), (weights,))
    np.testing.assert_allclose(weights + update, [-3.196255, -1.0747064], atol=5e-7)
    assert replace(sgd, learning_rate=0.5).settings["learning_rate"] == 0.5
