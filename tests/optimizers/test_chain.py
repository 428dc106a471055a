"""Chains: what they can express, how their settings are called, and what may not be chained."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.chain import Chain, chain
from optiscope.optimizers.registry import rule as rule_by_name
from optiscope.optimizers.registry import rule_types
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.rules.nesterov_lookahead import RULE as NesterovLookahead  # noqa: N811
from optiscope.optimizers.rules.newton import RULE as Newton  # noqa: N811
from optiscope.optimizers.rules.schedule_free_sgd import RULE as ScheduleFreeSGD  # noqa: N811
from optiscope.optimizers.schedules.exponential import Exponential
from optiscope.optimizers.schedules.reduce_on_plateau import ReduceOnPlateau
from optiscope.optimizers.transformations.accumulate import accumulate
from optiscope.optimizers.transformations.add_l2 import add_l2
from optiscope.optimizers.transformations.add_noise import add_noise
from optiscope.optimizers.transformations.add_weight_decay import add_weight_decay
from optiscope.optimizers.transformations.average_weights import average_weights
from optiscope.optimizers.transformations.clip_by_global_norm import clip_by_global_norm
from optiscope.optimizers.transformations.clip_by_norm import clip_by_norm
from optiscope.optimizers.transformations.clip_by_value import clip_by_value
from optiscope.optimizers.transformations.look_ahead import look_ahead
from optiscope.optimizers.transformations.scale_by_adam import scale_by_adam
from optiscope.optimizers.transformations.scale_by_learning_rate import scale_by_learning_rate
from optiscope.optimizers.transformations.scale_by_momentum import scale_by_momentum
from optiscope.optimizers.transformations.scale_by_schedule import scale_by_schedule
from tests.optimizers.reference import Course, assert_same_path, course, drive_rule


def test_what_comes_out_is_subtracted():
    x = (np.array([1.0, -2.0]),)
    descend = chain(scale_by_learning_rate(0.5))
    (update,), _ = descend.update((np.array([2.0, 4.0]),), descend.init(x), x)
    assert update.tolist() == [-1.0, -2.0]


def test_transformations_are_applied_in_their_order():
    x = (np.array([1.0]),)

    def first_step(*parts) -> float:
        made = chain(*parts)
        return float(made.update((np.array([10.0]),), made.init(x), x)[0][0][0])

    assert first_step(clip_by_value(1.0), scale_by_learning_rate(0.5)) == -0.5
    assert first_step(scale_by_learning_rate(0.5), clip_by_value(1.0)) == -1.0


def test_a_chain_within_a_chain_is_taken_apart():
    inner = chain(clip_by_norm(1.0), scale_by_adam())
    outer = chain(inner, chain(chain(scale_by_learning_rate(0.1))))
    assert [part.name for part in outer.transformations] == ["clip_by_norm", "scale_by_adam", "scale_by_learning_rate"]


def test_settings_are_called_as_in_the_transformation_while_that_is_clear():
    made = chain(scale_by_adam(beta1=0.8), scale_by_learning_rate(0.1))
    assert made.settings == {
        "beta1": 0.8,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "epsilon_inside": False,
        "learning_rate": 0.1,
    }


def test_settings_of_the_same_name_are_told_apart():
    made = chain(add_l2(0.1), clip_by_norm(1.0), scale_by_momentum(), add_weight_decay(0.2), clip_by_norm(3.0))
    names = [name for name in made.settings if "." in name]
    assert names == [
        "add_l2.weight_decay",
        "clip_by_norm[1].maximum",
        "clip_by_norm[1].epsilon",
        "add_weight_decay.weight_decay",
        "clip_by_norm[4].maximum",
        "clip_by_norm[4].epsilon",
    ]
    changed = made.with_settings(**{"add_l2.weight_decay": 0.5, "clip_by_norm[4].maximum": 7.0, "momentum": 0.3})
    assert changed.settings["add_l2.weight_decay"] == 0.5
    assert changed.settings["add_weight_decay.weight_decay"] == 0.2
    assert changed.settings["clip_by_norm[1].maximum"] == 1.0
    assert changed.settings["clip_by_norm[4].maximum"] == 7.0
    assert changed.settings["momentum"] == 0.3
    assert made.settings["momentum"] == 0.9


def test_the_main_settings_have_ranges_for_tuning():
    made = chain(add_l2(0.1), scale_by_adam(), add_weight_decay(0.1), scale_by_learning_rate(0.1))
    assert list(made.search) == [
        "add_l2.weight_decay",
        "beta1",
        "beta2",
        "add_weight_decay.weight_decay",
        "learning_rate",
    ]
    assert set(made.search) <= set(made.settings)


def test_an_unknown_setting_is_an_error():
    with pytest.raises(UnknownName, match=r"'beta' is not a setting of this chain\. Did you mean 'beta2'\?"):
        chain(scale_by_adam()).with_settings(beta=0.5)


def test_batching_is_that_of_the_most_demanding_part():
    assert chain(scale_by_adam(), scale_by_learning_rate(0.1)).batching == "elementwise"
    assert chain(clip_by_norm(1.0), scale_by_adam()).batching == "rowwise"
    assert chain(Adam(), add_noise(0.1)).batching == "rowwise"


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_global_norm])
def test_rows_with_settings_of_their_own_are_as_if_alone(clip):
    made = chain(clip(1.0), scale_by_adam(), add_noise(0.1), scale_by_learning_rate(0.1), look_ahead(4))
    one = course(3, shapes=[(2, 3)])
    columns = {"maximum": [0.2, 5.0], "learning_rate": [0.01, 0.3], "beta1": [0.5, 0.9], "rate": [0.3, 0.8]}
    batch = drive_rule(
        made.with_settings(**{name: np.array(values)[:, None] for name, values in columns.items()}), one, batch_axes=1
    )
    for row in range(2):
        alone = Course(
            start=(one.start[0][row],),
            gradients=tuple((gradient[row],) for (gradient,) in one.gradients),
            curvatures=one.curvatures,
        )
        settings = {name: values[row] for name, values in columns.items()}
        way = drive_rule(made.with_settings(**settings), alone)
        assert_same_path([(step[0][row],) for step in batch], way, tolerance=1e-14)


def test_numpy_and_torch_give_the_same():
    made = chain(
        clip_by_global_norm(2.0),
        accumulate(2),
        scale_by_adam(),
        add_noise(0.1, annealing=0.5),
        add_weight_decay(0.1),
        scale_by_learning_rate(0.1),
        average_weights(0.9),
    )
    one = course(4)
    assert_same_path(drive_rule(made, one), drive_rule(made, one, library="torch"))
    assert_same_path(drive_rule(made, one, evaluate=True), drive_rule(made, one, library="torch", evaluate=True))


def test_schedules_in_a_chain_follow_the_step():
    scheduled = chain(
        scale_by_momentum(0.9), scale_by_schedule(Exponential(start=1.0, factor=0.5)), scale_by_learning_rate(0.2)
    )
    assert scheduled.at(3).settings["factor"] == 0.125
    assert isinstance(scheduled.settings["factor"], Exponential)
    x = (np.zeros(2),)
    reactive = chain(scale_by_learning_rate(ReduceOnPlateau(value=0.1)))
    assert isinstance(reactive.at(3).settings["learning_rate"], ReduceOnPlateau)
    (update,), _ = scheduled.at(1).update((np.ones(2),), scheduled.init(x), x)
    assert update.tolist() == [-0.1, -0.1]


def test_the_effective_rate_is_that_of_the_rule_it_expresses():
    one = course(5)
    made, rule = chain(clip_by_norm(1e9), scale_by_adam(), scale_by_learning_rate(0.1)), Adam(learning_rate=0.1)
    states = [made.init(one.start), rule.init(one.start)]
    for gradients in one.gradients:
        _, states[0] = made.update(gradients, states[0], one.start)
        _, states[1] = rule.update(gradients, states[1], one.start)
        ours, theirs = made.effective_rate(states[0], one.start), rule.effective_rate(states[1], one.start)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-14)


def test_internals_are_those_of_the_parts():
    x = (np.array([1.0, 2.0]),)
    made = chain(scale_by_momentum(), scale_by_adam(), scale_by_learning_rate(0.1), average_weights())
    _, state = made.update(x, made.init(x), x)
    internals = made.internals(state)
    assert list(internals) == ["momentum", "scale_by_adam.momentum", "second_moment", "average"]
    assert internals["momentum"].tolist() == [1.0, 2.0]


def test_a_rule_is_a_link_as_well():
    one = course(6)
    clipped = chain(clip_by_norm(0.5), Adam(learning_rate=0.1, beta2=0.9), average_weights(0.5))
    written_out = chain(clip_by_norm(0.5), scale_by_adam(beta2=0.9), scale_by_learning_rate(0.1), average_weights(0.5))
    assert_same_path(
        drive_rule(clipped, one, evaluate=True), drive_rule(written_out, one, evaluate=True), tolerance=1e-14
    )
    assert clipped.settings["learning_rate"] == 0.1
    assert "learning_rate" in clipped.search
    assert clipped.with_settings(learning_rate=0.7).settings["learning_rate"] == 0.7
    scheduled = chain(Adam(learning_rate=Exponential(start=0.1)))
    assert_same_path(drive_rule(scheduled, one), drive_rule(Adam(learning_rate=Exponential(start=0.1)), one))


def test_a_rule_in_a_chain_probes_and_keeps_what_it_would_alone():
    one = course(7)
    free = ScheduleFreeSGD(learning_rate=0.1)
    assert_same_path(drive_rule(chain(free), one, evaluate=True), drive_rule(free, one, evaluate=True))
    ahead = NesterovLookahead(learning_rate=0.1)
    made, x = chain(ahead), (np.array([1.0, 2.0]),)
    states = [rule.update(x, rule.init(x), x)[1] for rule in (made, ahead)]
    ours, theirs = made.probe(states[0], x)[0], ahead.probe(states[1], x)[0]
    assert ours.tolist() == theirs.tolist()
    assert not np.array_equal(ours, x[0])


def test_a_rule_that_needs_curvature_cannot_be_chained():
    with pytest.raises(ArgumentError, match="newton needs the curvature too"):
        chain(Newton())


def test_a_chain_has_a_title_that_tells_it_from_others():
    assert chain(clip_by_norm(1.0), scale_by_adam(), scale_by_learning_rate(0.1)).title == "Clipped by norm → Adam"
    assert chain(scale_by_learning_rate(0.1)).title == "Gradient descent"


@pytest.mark.parametrize("last", [look_ahead(), average_weights()])
def test_what_looks_at_the_parameters_after_the_step_comes_last(last):
    with pytest.raises(ArgumentError, match=rf"{last.name} looks at .* Move it behind scale_by_learning_rate"):
        chain(scale_by_adam(), last, scale_by_learning_rate(0.1))
    assert isinstance(chain(scale_by_adam(), scale_by_learning_rate(0.1), look_ahead(), average_weights()), Chain)


def test_a_chain_of_nothing_is_an_error():
    with pytest.raises(ArgumentError, match="at least one transformation"):
        chain()


def test_what_is_no_transformation_is_an_error():
    with pytest.raises(ArgumentError, match=r"Received: 0\.1"):
        chain(scale_by_adam(), 0.1)
    with pytest.raises(ArgumentError, match="made by a call, with parentheses"):
        chain(scale_by_adam, scale_by_learning_rate(0.1))


def test_an_average_comes_behind_what_goes_back():
    with pytest.raises(ArgumentError, match="average_weights comes at the very end: look_ahead changes"):
        chain(scale_by_adam(), average_weights(), look_ahead())
    with pytest.raises(ArgumentError, match="very end"):
        chain(chain(Adam(), average_weights(0.9)), average_weights(0.5))


@pytest.mark.parametrize("name", [name for name, kind in rule_types().items() if kind.curvature == "none"])
def test_behind_an_accumulation_no_rate_is_known_until_something_moves(name):
    made, x = chain(accumulate(2), rule_by_name(name)), (np.array([1.0, 2.0]),)
    _, state = made.update(x, made.init(x), x)
    assert np.isnan(made.effective_rate(state, x)[0]).all()


def test_noise_of_later_groups_is_another():
    made, x = chain(add_noise(1.0), scale_by_learning_rate(1.0)), (np.zeros(3), np.zeros(3))
    (first, second), _ = made.update(x, made.init(x), x)
    later = made.with_settings(first_tensor=1)
    (alone,), _ = later.update(x[:1], later.init(x[:1]), x[:1])
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(alone, second)


def test_a_chain_knows_which_settings_are_not_at_their_defaults():
    made = chain(clip_by_norm(1.0), scale_by_adam(beta1=0.5), scale_by_learning_rate(0.1), average_weights())
    assert made.differing_settings() == ("maximum", "beta1", "learning_rate")
    assert chain(Adam(beta2=0.9)).differing_settings() == ("beta2",)
    assert chain(scale_by_adam(beta2=Exponential(start=0.999))).differing_settings() == ("beta2",)


def test_settings_that_are_changed_later_can_be_checked():
    made = chain(clip_by_norm(1.0), Adam())
    for name, value in (("maximum", -1.0), ("beta1", 2.0)):
        changed = made.with_settings(**{name: value})
        with pytest.raises(ArgumentError, match=f"{name} of"):
            changed.check()
