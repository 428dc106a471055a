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


def test_neither_the_starts_nor_the_noise_of_the_race_are_tuned_on(monkeypatch):
    import optiscope.experiments.race.race as module

    seen = {}
    original = module.tune_all

    def spy(*arguments, **named):
        seen.update(named)
        return original(*arguments, **named)

    monkeypatch.setattr(module, "tune_all", spy)
    result = race("rosenbrock", "adam", start=[(-1.2, 1.0), (0.0, 2.0)], steps=5, tune=3, noise=1.0, seeds=4)
    assert not set(seen["seeds"].tolist()) & set(result.seeds.tolist())
    assert len(seen["seeds"]) == 4
    distances = np.abs(seen["starts"][:, None] - result.starts).max(axis=-1)
    assert distances.min() > 0
    assert distances.min(axis=1).max() <= 0.05 * 4


def test_the_sweep_leaves_a_default_outside_of_its_range_alone_and_later_trials_keep_trying_it():
    pytest.importorskip("torch")
    (tuning,) = tuned(function("booth"), "torch.SGD", trials=9, steps=5)
    momentum = tuning.settings["momentum"]
    assert tuning.sweep == 3
    assert (momentum[:3] == 0).all()
    assert (momentum[3:] == 0).sum() >= 2
    assert (momentum[3:] > 0).any()


def test_a_rule_and_a_chain_are_tuned_on_what_was_not_given():
    from optiscope.optimizers.chain import chain
    from optiscope.optimizers.registry import rule
    from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
    from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate

    entered = [rule("adam", beta1=0.5), chain(scale_by_adam(), scale_by_learning_rate(0.05)), "sgd"]
    result = race("booth", entered, steps=10, tune=6)
    tunings = {entry.rule: entry.tuning for entry in result.entries}
    assert set(tunings["adam"].settings) == {"learning_rate", "beta2"}
    assert "learning_rate" not in tunings["chain"].settings
    assert set(tunings["chain"].settings) >= {"beta1"}
    assert all(len(one.scores) == 6 for one in tunings.values())
    chained = next(entry for entry in result.entries if entry.rule == "chain")
    assert chained.settings["learning_rate"] == 0.05


def test_what_a_registered_function_was_given_is_not_tuned_away():
    from optiscope.optimizers.own import register_optimizer
    from optiscope.optimizers.registered import forget
    from optiscope.optimizers.registry import rule

    @register_optimizer("my_adam_for_a_test")
    def my_adam(rate=0.01):
        return rule("adam", learning_rate=rate)

    try:
        (entry,) = race("booth", "my_adam_for_a_test(rate=0.123)", steps=10, tune=6).entries
        assert entry.settings["learning_rate"] == 0.123
        assert "learning_rate" not in entry.tuning.settings
    finally:
        forget("my_adam_for_a_test")


def test_a_setting_with_a_schedule_is_not_tuned():
    (entry,) = race("booth", "adam(learning_rate=cosine(start=0.3, steps=20))", steps=20, tune=6).entries
    assert set(entry.tuning.settings) == {"beta1", "beta2"}


def test_settings_that_leave_the_domain_are_not_chosen():
    """Below the domain of Forrester's function lie values of minus thousands: they count for nothing."""
    result = race("forrester", "sgd,adam", steps=100)
    low, high = result.problem.bounds[0]
    for path in result.paths:
        assert low <= path.points[-1, 0] <= high
        assert path.losses[-1] >= result.problem.minimum - 1e-9
