"""What can race, what comes out, and what is refused before any work."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.experiments.race.race import race
from optiscope.optimizers.registry import rule
from optiscope.problems.functions.registry import function


def test_a_path_has_its_losses_gradients_and_internals_at_every_step():
    result = race("beale", ["adam(learning_rate=0.1)"], start=(-1.5, 2.0), steps=30)
    (path,) = result.paths
    problem = function("beale")
    assert path.points.shape == (31, 2)
    np.testing.assert_array_equal(path.start, [-1.5, 2.0])
    np.testing.assert_allclose(path.losses, problem.value(path.points))
    np.testing.assert_allclose(path.gradients, problem.gradient(path.points))
    assert set(path.internals) >= {"momentum", "second_moment"}
    v_hat = path.internals["second_moment"][1] / (1 - 0.999)
    np.testing.assert_allclose(path.effective_rates[1], 0.1 / (np.sqrt(v_hat) + 1e-8))


def test_several_starts_and_seeds_give_a_path_each():
    result = race(
        "booth", "sgd(learning_rate=0.01),adam", start=[(-5, 5), (5, -5)], steps=10, noise=0.5, seeds=3, tune=0
    )
    assert len(result.paths) == 12
    paths = result.paths_of("Adam")
    assert [path.seed for path in paths] == [0, 1, 2, 0, 1, 2]
    assert not np.array_equal(paths[0].points, paths[1].points)


def test_with_the_same_seed_all_optimizers_meet_the_same_noise():
    names = ["sgd(learning_rate=0.01)", "momentum(learning_rate=0.01, momentum=0.0)"]
    first, second = race("booth", names, steps=10, noise=2.0, tune=0).entries
    np.testing.assert_allclose(first.final, second.final, rtol=1e-12)


def test_optimizers_of_pytorch_race_by_name_and_equal_our_own():
    pytest.importorskip("torch")
    names = ["adam(learning_rate=0.05)", "torch.Adam(lr=0.05)"]
    result = race("rosenbrock", names, steps=40)
    ours, theirs = (result.paths_of(label)[0] for label in ("Adam", "torch.Adam"))
    np.testing.assert_allclose(ours.points, theirs.points, rtol=1e-10)
    np.testing.assert_allclose(ours.internals["momentum"][1:], theirs.internals["momentum"][1:], rtol=1e-10)


def test_a_class_of_ones_own_races():
    torch = pytest.importorskip("torch")

    class Plain:
        def __init__(self, params, lr=0.01):
            self.params, self.lr = list(params), lr

        def zero_grad(self):
            for one in self.params:
                one.grad = None

        def step(self, closure=None):
            with torch.no_grad():
                for one in self.params:
                    if one.grad is not None:
                        one.sub_(self.lr * one.grad)

    result = race("booth", [Plain, "sgd(learning_rate=0.01)"], steps=20, tune=0)
    np.testing.assert_allclose(result.paths_of("Plain")[0].points, result.paths_of("Gradient descent")[0].points)


def test_rules_chains_and_names_mix_and_get_labels_that_differ():
    rules = [rule("adam", learning_rate=0.1), "adam(learning_rate=0.01)", "sgd"]
    labels = {entry.label for entry in race("booth", rules, steps=5, tune=0).entries}
    assert labels == {"Adam(learning_rate=0.1)", "Adam(learning_rate=0.01)", "Gradient descent"}


def test_all_of_our_own_race_at_once():
    result = race("beale", "all", steps=20, tune=0)
    assert len(result.entries) >= 28
    assert all(len(path.points) == 21 for path in result.paths)


def test_the_share_of_starts_that_reach_the_target_is_counted():
    result = race("booth", "sgd(learning_rate=0.1),newton", steps=200, reach=25, tune=0)
    for entry in result.entries:
        assert len(entry.reached) == 25
        assert np.isfinite(entry.reached).all()
    newton = next(entry for entry in result.entries if entry.rule == "newton")
    assert (newton.reached <= 1).all()


def test_without_a_wish_only_optimizers_without_settings_are_tuned():
    result = race("booth", "adam(learning_rate=0.1),sgd", steps=20)
    tuned = {entry.label: entry.tuning is not None for entry in result.entries}
    assert tuned == {"Adam": False, "Gradient descent": True}
    assert any("24 trials" in note for note in result.notes)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"problem": "beal"}, UnknownName, "beale"),
        ({"optimizers": "adm"}, UnknownName, "adam"),
        ({"optimizers": "adam(rate=1)"}, UnknownName, "learning_rate"),
        ({"optimizers": "torch.Adm"}, UnknownName, "torch.Adam"),
        ({"optimizers": "adam(learning_rate=0)"}, ArgumentError, "above 0"),
        ({"optimizers": "adam(learning_rate=nan)"}, ArgumentError, "above 0"),
        ({"optimizers": "adam(learning_rate=-1)"}, ArgumentError, "above 0"),
        ({"optimizers": []}, ArgumentError, "at least one"),
        ({"optimizers": 3}, ArgumentError, "optimizer"),
        ({"start": (100.0, 0.0)}, ArgumentError, "domain"),
        ({"start": (np.nan, 0.0)}, ArgumentError, "domain"),
        ({"start": (1.0, 0.0, 0.0)}, ArgumentError, "2 coordinates"),
        ({"start": "here"}, ArgumentError, "numbers"),
        ({"start": (0.0, 1.0), "grid": 3}, ArgumentError, "not both"),
        ({"grid": 100}, ArgumentError, "at most"),
        ({"steps": 0}, ArgumentError, "steps"),
        ({"steps": 10**7}, ArgumentError, "steps"),
        ({"steps": 1_000_000, "grid": 20}, ArgumentError, "GiB"),
        ({"tune": -1}, ArgumentError, "tune"),
        ({"noise": np.nan}, ArgumentError, "noise"),
        ({"seeds": 0}, ArgumentError, "seeds"),
        ({"seed": -1}, ArgumentError, "seed"),
        ({"target": "low"}, ArgumentError, "target"),
        ({"target": np.nan}, ArgumentError, "target"),
        ({"problem": 3}, ArgumentError, "own_function"),
    ],
)
def test_bad_input_is_refused_with_a_way_out(arguments, error, words):
    with pytest.raises(error, match=words):
        race(**{"problem": "beale", "optimizers": "adam", **arguments})


def test_what_is_registered_races_by_name_whatever_its_kind():
    pytest.importorskip("torch")
    from optiscope.optimizers.own import register_optimizer
    from optiscope.optimizers.registered import forget

    @register_optimizer("plain_for_a_test")
    class Plain:
        def __init__(self, params, lr=0.01):
            self.params, self.lr = list(params), lr

        def zero_grad(self):
            pass

        def step(self, closure=None):
            for one in self.params:
                one.data.sub_(self.lr * one.grad)

    try:
        names = ["plain_for_a_test(lr=0.02)", "sgd(learning_rate=0.02)"]
        first, second = race("booth", names, steps=20).entries
        np.testing.assert_allclose(first.final, second.final, rtol=1e-9)
        (tuned,) = race("booth", "plain_for_a_test", steps=20).entries
        assert list(tuned.tuning.settings) == ["lr"]
    finally:
        forget("plain_for_a_test")


def test_an_object_with_init_and_update_and_a_function_that_returns_a_chain_race():
    from optiscope.optimizers.chain import chain
    from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate

    class Halving:
        def init(self, parameter):
            return {}

        def update(self, gradient, state, parameter):
            return -0.05 * gradient, state

    def plain():
        return chain(scale_by_learning_rate(0.05))

    first, second = race("booth", [Halving(), plain], steps=20, tune=0).entries
    np.testing.assert_allclose(first.final, second.final, rtol=1e-9)


def test_who_ends_outside_the_domain_is_last_and_a_note_says_why():
    names = ["sgd(learning_rate=0.001)", "adam(learning_rate=0.2)"]
    result = race("mccormick", names, start=(3.5, -1.0), steps=300)
    runaway = race("mccormick", ["sgd(learning_rate=0.9)", "sgd(learning_rate=0.01)"], start=(-1.4, 3.9), steps=60)
    for outcome in (result, runaway):
        for entry in outcome.entries:
            outside = [path.ends_outside for path in outcome.paths_of(entry.label)]
            assert np.isinf(entry.settled).tolist() == outside
            if all(outside) and outcome.paths_of(entry.label)[0].diverged_at is None:
                assert any("leaves the domain" in note and entry.label in note for note in outcome.notes)
    ranked = [entry.settled[0] for entry in runaway.entries]
    assert ranked == sorted(ranked)


def test_seeds_without_anything_random_are_refused():
    with pytest.raises(ArgumentError, match="nothing random"):
        race("booth", "sgd", seeds=3)
    assert len(race("booth", "sgd", noise=0.1, steps=5, tune=0).seeds) == 3
    assert len(race("booth", "sgd", steps=5, tune=0).seeds) == 1


def test_what_some_were_given_and_others_not_is_said():
    result = race("booth", ["newton", "sgd(learning_rate=0.01)"], steps=5, noise=0.5, tune=0)
    assert any("exact Hessian" in note and "noise" in note for note in result.notes)
    pytest.importorskip("torch")
    several = race("booth", ["torch.LBFGS(lr=0.5)"], steps=5, tune=0)
    assert any("gradients in 5 steps" in note for note in several.notes)
    assert several.paths[0].evaluations > 5


def test_a_race_is_ranked_by_the_mean_of_its_last_steps():
    (entry,) = race("booth", "sgd(learning_rate=0.01)", steps=100).entries
    path = race("booth", "sgd(learning_rate=0.01)", steps=100).paths[0]
    assert entry.settled[0] == pytest.approx(path.losses[-5:].mean())
    assert entry.final[0] == path.losses[-1]


def test_the_same_entrant_twice_is_refused_and_all_may_have_company():
    with pytest.raises(ArgumentError, match="the same"):
        race("booth", "sgd,sgd")
    from optiscope.experiments.race.entrants import entrants
    from optiscope.optimizers.registry import rule_types

    pytest.importorskip("torch")
    assert len(entrants("all,torch.Adam")) == len(rule_types()) + 1


def test_settings_of_pytorch_have_one_name_each():
    pytest.importorskip("torch")
    (entry,) = race("booth", "torch.Adam(lr=0.1)", steps=5).entries
    assert entry.settings["learning_rate"] == 0.1
    assert "lr" not in entry.settings
    assert entry.chosen == ("learning_rate",)
