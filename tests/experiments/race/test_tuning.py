"""Tuning is fair: the same budget, the same draws, and no peeking at the minimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from optiscope.experiments.race.entrants import entrants
from optiscope.experiments.race.race import race
from optiscope.experiments.race.tuning import tune_all
from optiscope.problems.functions.registry import function
from optiscope.problems.functions.rosenbrock import Rosenbrock


@dataclass(frozen=True, kw_only=True)
class Liar(Rosenbrock):
    """Rosenbrock with a wrong idea of its minimum."""

    @property
    def minima(self):
        return np.full((1, self.dimension), -1.5)

    @property
    def minimum(self):
        return 123.0


def tuned(problem, names="sgd,adam", *, trials=20, seed=0, steps=60):
    starts = np.array([[-1.2, 1.0], [0.5, 2.0]])
    return tune_all(
        problem,
        entrants(names),
        trials=trials,
        starts=starts,
        seeds=np.zeros(1, dtype=np.int64),
        steps=steps,
        bound=1e3,
        seed=seed,
    )


def test_the_known_minimum_plays_no_part():
    for honest, lied in zip(tuned(Rosenbrock()), tuned(Liar()), strict=True):
        np.testing.assert_array_equal(honest.scores, lied.scores)
        np.testing.assert_array_equal(honest.losses, lied.losses)
        assert honest.best == lied.best


@pytest.mark.parametrize("trials", [1, 2, 7, 20])
def test_every_optimizer_gets_exactly_that_many_trials(trials):
    for tuning in tuned(Rosenbrock(), "sgd,adam,lion,newton", trials=trials):
        assert len(tuning.scores) == len(tuning.losses) == trials
        assert all(len(values) == trials for values in tuning.settings.values())


def test_the_first_trial_is_the_settings_it_came_with():
    sgd, adam = tuned(Rosenbrock(), "sgd(learning_rate=0.003),adam")
    assert sgd is None
    assert adam.settings["learning_rate"][0] == pytest.approx(1e-3)
    assert adam.settings["beta1"][0] == pytest.approx(0.9)


def test_settings_that_were_given_stay_and_the_others_are_tuned():
    (adam,) = tuned(Rosenbrock(), "adam(beta1=0.5)")
    assert set(adam.settings) == {"learning_rate", "beta2"}


def test_the_same_seed_gives_the_same_trials_and_another_seed_others():
    first, again, other = (tuned(Rosenbrock(), "adam", seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.settings["learning_rate"], again.settings["learning_rate"])
    assert not np.array_equal(first.settings["learning_rate"], other.settings["learning_rate"])


def test_the_best_trial_is_the_lowest_score_and_scores_are_shares_of_the_way():
    for tuning in tuned(Rosenbrock()):
        assert tuning.scores[tuning.best] == tuning.scores.min()
        finite = tuning.scores[np.isfinite(tuning.scores)]
        assert finite.min() >= 0
        assert finite.max() <= 3
        assert np.isinf(tuning.losses).all(axis=1).tolist() == np.isinf(tuning.scores).tolist()


def test_tuning_helps_or_at_least_does_no_harm():
    plain = race("rosenbrock", "sgd,adam", steps=100, tune=0)
    better = race("rosenbrock", "sgd,adam", steps=100, tune=40)
    for label in ("Gradient descent", "Adam"):
        (before,) = (entry.final[0] for entry in plain.entries if entry.label == label)
        (after,) = (entry.final[0] for entry in better.entries if entry.label == label)
        assert after < before


def test_the_first_third_varies_the_learning_rate_alone_and_evenly():
    (tuning,) = tuned(Rosenbrock(), "adam", trials=60)
    rates = np.log(tuning.settings["learning_rate"])
    low, high = np.log(1e-6), np.log(10.0)
    cells = np.floor(19 * (rates[1:20] - low) / (high - low)).astype(int)
    assert sorted(cells.tolist()) == list(range(19))
    np.testing.assert_allclose(tuning.settings["beta1"][:20], 0.9)
    # Near the best of those, within 15 % of the range on either side.
    best = rates[tuning.losses[:20].mean(axis=1).argmin()]
    assert np.abs(rates[20:40] - best).max() <= 0.1501 * (high - low)


def test_an_optimizer_that_runs_one_by_one_is_tuned_too():
    pytest.importorskip("torch")
    (foreign,) = tuned(function("booth"), "torch.SGD", trials=3, steps=5)
    assert set(foreign.settings) >= {"learning_rate"}
    assert len(foreign.scores) == 3
