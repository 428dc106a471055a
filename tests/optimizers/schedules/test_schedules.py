"""Schedules without a reference in PyTorch, laws that all keep, names, and bad settings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optiscope.call_syntax import parse_call
from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.registry import rule
from optiscope.optimizers.schedules.constant import Constant
from optiscope.optimizers.schedules.cosine import Cosine
from optiscope.optimizers.schedules.cosine_restarts import CosineRestarts
from optiscope.optimizers.schedules.cyclic import Cyclic
from optiscope.optimizers.schedules.exponential import Exponential
from optiscope.optimizers.schedules.inverse_square_root import InverseSquareRoot
from optiscope.optimizers.schedules.join import Join
from optiscope.optimizers.schedules.linear import Linear
from optiscope.optimizers.schedules.multi_step import MultiStep
from optiscope.optimizers.schedules.multiply import Multiply
from optiscope.optimizers.schedules.one_cycle import OneCycle
from optiscope.optimizers.schedules.polynomial import Polynomial
from optiscope.optimizers.schedules.reactive import ReactiveSchedule
from optiscope.optimizers.schedules.reduce_on_plateau import ReduceOnPlateau
from optiscope.optimizers.schedules.registry import schedule, schedule_types, values
from optiscope.optimizers.schedules.schedule import Schedule
from optiscope.optimizers.schedules.step import Step
from optiscope.optimizers.schedules.warm_up import WarmUp
from optiscope.optimizers.schedules.warmup_stable_decay import WarmupStableDecay

ONE_OF_EACH = (
    Constant(value=0.5),
    Cosine(start=1.0, end=0.1, steps=30),
    CosineRestarts(start=1.0, end=0.1, steps=9, factor=2),
    Cyclic(start=0.1, peak=1.0, up=5, down=9, shape="exp_range", factor=0.99),
    Exponential(start=1.0, factor=0.5, steps=10),
    InverseSquareRoot(start=1.0, steps=10),
    Join(schedules=(Constant(value=1.0), Linear(start=1.0, steps=10)), at=(20,)),
    Linear(start=1.0, end=0.2, steps=40),
    MultiStep(start=1.0, milestones=(10, 30), factor=(0.5, 0.2)),
    Multiply(schedules=(Exponential(start=1.0), Cosine(start=1.0, steps=50))),
    OneCycle(peak=1.0, steps=50),
    Polynomial(start=1.0, end=0.1, steps=40, power=3.0),
    Step(start=1.0, every=10, factor=0.5),
    WarmUp(steps=10, then=Cosine(start=1.0, steps=40), shape="exponential"),
    WarmupStableDecay(peak=1.0, warm_up=5, stable=20, decay=20, shape="square_root"),
)


def test_there_is_an_example_of_each_schedule():
    names = {one.name for one in ONE_OF_EACH} | {ReduceOnPlateau.name}
    assert names == set(schedule_types())
    assert list(schedule_types()) == sorted(names)


@pytest.mark.parametrize("one", ONE_OF_EACH, ids=lambda one: one.name)
def test_a_schedule_gives_finite_python_floats_for_ever(one):
    for step in (0, 1, 49, 50, 51, 1000, 10**7):
        assert type(one(step)) is float
        assert math.isfinite(one(step))
    assert one(7) == one(7)


@pytest.mark.parametrize("one", [*ONE_OF_EACH, ReduceOnPlateau(value=0.1)], ids=lambda one: one.name)
def test_what_a_schedule_is_printed_as_makes_it_again(one):
    assert schedule(str(one)) == one


@pytest.mark.parametrize("kind", schedule_types().values(), ids=lambda kind: kind.name)
def test_a_schedule_says_what_it_is(kind):
    assert kind.name.isidentifier()
    assert kind.name == kind.name.lower()
    assert kind.title
    assert kind.formula
    assert kind.reference
    assert issubclass(kind, Schedule | ReactiveSchedule)


def test_inverse_square_root_after_a_warm_up_is_that_of_the_transformer_paper():
    # lr(n) = peak · √warm · min(n^−½, n · warm^−1.5) with n from 1; the warm-up of the paper begins at 1/warm.
    warm, peak = 40, 0.3
    ours = WarmUp(steps=warm, start_factor=0.0, then=InverseSquareRoot(start=peak, steps=warm))
    n = np.arange(1, 300)
    paper = peak * math.sqrt(warm) * np.minimum(n**-0.5, n * warm**-1.5)
    np.testing.assert_allclose(values(ours, 300)[1:], paper, rtol=1e-14)


def test_exponential_decays_by_its_factor_over_its_steps():
    decay = Exponential(start=0.8, factor=0.25, steps=10)
    assert decay(10) == pytest.approx(0.2, rel=1e-15)
    assert decay(5) == pytest.approx(0.4, rel=1e-15)


def test_multi_step_multiplies_by_each_milestones_own_factor():
    np.testing.assert_allclose(
        values(MultiStep(start=1.0, milestones=(2, 4), factor=(0.5, 0.1)), 6), [1, 1, 0.5, 0.5, 0.05, 0.05], rtol=1e-15
    )


def test_cosine_stays_at_its_end():
    assert values(Cosine(start=1.0, end=0.25, steps=10), 40)[10:].tolist() == [0.25] * 30


def test_one_cycle_stays_at_its_end():
    numbers = values(OneCycle(peak=0.5, steps=20), 40)
    assert numbers[19:] == pytest.approx(0.5 / 25 / 1e4, rel=1e-9)
    assert numbers.argmax() == 5


def test_one_cycle_without_a_climb_falls_from_its_peak():
    assert values(OneCycle(peak=0.5, steps=10, part=0.1), 3)[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("shape", "middle"), [("linear", 0.5), ("cosine", 0.5), ("square_root", 1 - math.sqrt(0.5))])
def test_the_decay_after_the_stable_part_has_its_shape(shape, middle):
    numbers = values(WarmupStableDecay(peak=1.0, warm_up=4, stable=6, decay=10, shape=shape), 25)
    assert numbers[:5] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert numbers[4:11].tolist() == [1.0] * 7
    assert numbers[15] == pytest.approx(middle)
    assert numbers[20:].tolist() == [0.0] * 5


def test_a_warm_up_may_begin_at_zero_and_reaches_what_follows():
    numbers = values(WarmUp(steps=4, start_factor=0.0, then=Constant(value=2.0)), 6)
    assert numbers.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


def test_a_plateau_never_reduces_below_the_least():
    used = ReduceOnPlateau(value=1.0, factor=0.1, patience=0, least=0.05).values(np.ones(10))
    assert used.min() == 0.05


def test_the_state_of_a_reactive_schedule_is_not_changed():
    reduce = ReduceOnPlateau(value=1.0, patience=0)
    first = reduce.start((2,))
    second = reduce.after(np.array([1.0, 2.0]), first)
    reduce.after(np.array([1.0, 1.0]), second)
    assert first.best.tolist() == [np.inf, np.inf]
    assert second.best.tolist() == [1.0, 2.0]
    assert second.value.tolist() == [1.0, 1.0]


def test_schedules_are_read_from_text_with_schedules_in_them():
    made = schedule("warm_up(steps=3, then=join(schedules=(constant(value=2.0), cosine(start=1.0, steps=9)), at=(5,)))")
    assert made == WarmUp(steps=3, then=Join(schedules=(Constant(value=2.0), Cosine(start=1.0, steps=9)), at=(5,)))


def test_settings_beside_the_name_win():
    assert schedule("cosine(start=0.1, steps=9)", start=0.2) == Cosine(start=0.2, steps=9)


def test_a_rule_takes_a_schedule_by_name():
    adam = rule("adam(learning_rate=cosine(start=0.1, steps=10))")
    assert adam.learning_rate == Cosine(start=0.1, steps=10)
    assert adam.at(10).learning_rate == 0.0
    assert adam.at(0).learning_rate == 0.1


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match=r"'cosin' is not a schedule\. Did you mean 'cosine'\?"):
        schedule("cosin")
    with pytest.raises(UnknownName, match=r"'stop' is not a setting of cosine\. Did you mean 'steps'\?"):
        schedule("cosine(stop=3)")


def test_a_missing_setting_is_named():
    with pytest.raises(ArgumentError, match=r"cosine needs a value for steps, such as cosine\(steps=…\)"):
        schedule("cosine(start=1)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constant(value=nan)", "value of constant is a finite number"),
        ("cosine(start=inf, steps=3)", "start of cosine is a finite number"),
        ("cosine(start=high, steps=3)", "start of cosine is a finite number"),
        ("cosine(start=true, steps=3)", "start of cosine is a finite number"),
        ("cosine(start=1, steps=0)", "steps of cosine is a whole number, 1 or above"),
        ("cosine(start=1, steps=2.5)", "steps of cosine is a whole number"),
        ("cosine_restarts(start=1, steps=2, factor=1.5)", "factor of cosine_restarts is a whole number"),
        ("cyclic(start=1, peak=2, up=0)", "up of cyclic is a whole number"),
        ("cyclic(start=1, peak=2, up=3, down=0)", "down of cyclic is a whole number"),
        ("cyclic(start=1, peak=2, up=3, shape=round)", "shape of cyclic is one of 'triangular'"),
        ("exponential(start=1, factor=0)", "factor of exponential is a finite number above 0"),
        ("inverse_square_root(start=1, steps=-3)", "steps of inverse_square_root is a whole number"),
        ("join(schedules=(constant(),), at=(3,))", "join needs one switch fewer than schedules: 0"),
        ("join(schedules=(constant(), constant()), at=3)", "at of join is a tuple of whole numbers above 0"),
        ("join(schedules=())", "schedules of join takes schedules"),
        ("join(schedules=(0.1, 0.2), at=(3,))", "schedules of join takes schedules"),
        ("multiply(schedules=constant())", "schedules of multiply takes schedules"),
        ("multi_step(start=1, milestones=(9, 3))", "milestones of multi_step is a tuple of whole numbers above 0"),
        ("multi_step(start=1, milestones=(3, 9), factor=(0.1,))", "or as many as there are milestones"),
        ("one_cycle(peak=1, steps=9, part=1.2)", "part of one_cycle is a number from 0 to 1"),
        ("one_cycle(peak=1, steps=9, start=nan)", "start of one_cycle is a finite number"),
        ("polynomial(start=1, steps=9, power=0)", "power of polynomial is a finite number above 0"),
        ("reduce_on_plateau(value=0)", "value of reduce_on_plateau is a finite number above 0"),
        ("reduce_on_plateau(value=1, factor=1)", "factor of reduce_on_plateau is below 1"),
        ("reduce_on_plateau(value=1, patience=-1)", "patience of reduce_on_plateau is a whole number, 0 or above"),
        ("step(start=1, every=0)", "every of step is a whole number"),
        ("warm_up(steps=3, then=0.1)", "then of warm_up takes schedules"),
        ("warm_up(steps=3, then=reduce_on_plateau(value=1))", "those that react to losses cannot be combined"),
        ("warm_up(steps=3, then=constant(), start_factor=0, shape=exponential)", "is above 0: from 0 it never rises"),
        ("warmup_stable_decay(peak=1, stable=-1, decay=3)", "stable of warmup_stable_decay is a whole number"),
    ],
)
def test_a_bad_setting_is_an_error_that_says_what_it_should_be(text, message):
    with pytest.raises(ArgumentError, match=message) as error:
        schedule(text)
    assert "Received: " in str(error.value)


def test_the_numbers_of_a_schedule_are_an_array():
    numbers = values(Linear(start=1.0, end=0.0, steps=4), 6)
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert values(Constant(), 0).shape == (0,)


def test_the_numbers_of_a_reactive_schedule_need_losses():
    with pytest.raises(ArgumentError, match=r"schedule\.values\(losses\)"):
        values(ReduceOnPlateau(value=1.0), 10)
    with pytest.raises(ArgumentError, match="steps is a whole number"):
        values(Constant(), -1)


def test_calls_within_calls_are_read_and_written():
    text = "a(b=c(d=1, e=f()), g=(h(i=2), 3))"
    call = parse_call(text)
    assert call.settings["b"] == parse_call("c(d=1, e=f())")
    assert call.settings["g"] == (parse_call("h(i=2)"), 3)
    with pytest.raises(ArgumentError, match="A name may carry settings"):
        parse_call("a(b=c(1))")
