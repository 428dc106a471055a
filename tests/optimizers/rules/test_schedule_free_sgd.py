from __future__ import annotations

import numpy as np
import pytest
import pytorch_optimizer
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.schedule_free_sgd import ScheduleFreeSGD
from optiscope.optimizers.schedules.registry import schedule
from tests.optimizers.reference import assert_same_path, courses, decays, drive_rule, drive_torch, fractions, rates


@settings(max_examples=20, deadline=None)
@given(
    course=courses(),
    learning_rate=rates(),
    momentum=st.floats(0.1, 0.99),
    averaging_power=fractions(2.0),
    averaging_rate_power=st.floats(0.0, 3.0),
    warm_up=st.integers(0, 20),
    weight_decay=decays(),
)
def test_schedule_free_sgd_equals_the_library_step_by_step(
    course, learning_rate, momentum, averaging_power, averaging_rate_power, warm_up, weight_decay
):
    rule = ScheduleFreeSGD(
        learning_rate=learning_rate,
        momentum=momentum,
        averaging_power=averaging_power,
        averaging_rate_power=averaging_rate_power,
        warm_up=warm_up,
        weight_decay=weight_decay,
    )

    def reference(parameters):
        return pytorch_optimizer.ScheduleFreeSGD(
            parameters,
            lr=learning_rate,
            momentum=momentum,
            r=averaging_power,
            weight_lr_power=averaging_rate_power,
            warmup_steps=warm_up,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
    _assert_same_average(rule, reference, course)


def _assert_same_average(rule, reference, course):
    """The weights that the library puts in place for evaluation are those that the rule keeps."""

    def in_evaluation(parameters):
        optimizer = reference(parameters)
        step = optimizer.step

        def step_and_show():
            optimizer.train()
            step()
            optimizer.eval()

        optimizer.step = step_and_show
        return optimizer

    assert_same_path(drive_rule(rule, course, evaluate=True), drive_torch(in_evaluation, course))


def test_the_average_is_the_mean_of_the_fast_points():
    # Written from the definition, equations 3 to 5 of the paper: x, y and z kept apart, equal weights.
    rule = ScheduleFreeSGD(learning_rate=0.1, momentum=0.8, averaging_rate_power=0.0)
    parameter = np.array([3.0, 4.0])
    state = rule.init((parameter,))
    x = z = parameter
    fast_points = []
    for _ in range(30):
        y = 0.2 * z + 0.8 * x
        np.testing.assert_allclose(parameter, y, rtol=1e-12)
        z = z - 0.1 * np.array([0.4, 4.0]) * y
        fast_points.append(z)
        x = np.mean(fast_points, axis=0)
        (update,), state = rule.update((np.array([0.4, 4.0]) * parameter,), state, (parameter,))
        parameter = parameter + update
        np.testing.assert_allclose(rule.evaluation_point(state, (parameter,))[0], x, rtol=1e-11)
        np.testing.assert_allclose(rule.internals(state)["fast"], z, rtol=1e-12)


def test_before_the_first_step_the_average_is_the_start():
    rule = ScheduleFreeSGD()
    parameter = np.array([1.0, 2.0])
    np.testing.assert_array_equal(rule.evaluation_point(rule.init((parameter,)), (parameter,))[0], parameter)


def test_the_effective_rate_follows_the_warm_up():
    rule = ScheduleFreeSGD(learning_rate=0.4, warm_up=4)
    parameter = np.ones(2)
    state = rule.init((parameter,))
    seen = []
    for _ in range(6):
        _, state = rule.update((parameter,), state, (parameter,))
        seen.append(rule.effective_rate(state, (parameter,))[0][0])
    np.testing.assert_allclose(seen, [0.1, 0.2, 0.3, 0.4, 0.4, 0.4], rtol=1e-12)


def test_an_interpolation_of_zero_is_an_error():
    with pytest.raises(ArgumentError, match="β of schedule_free_sgd is above 0"):
        ScheduleFreeSGD(momentum=0.0)
    with pytest.raises(ArgumentError, match="above 0"):
        ScheduleFreeSGD(momentum=np.array([[0.5], [0.0]]))


def test_a_changing_interpolation_leaves_the_average_as_it_is():
    # Written from the definition, x, y and z kept apart, with another β in each step.
    rule = ScheduleFreeSGD(learning_rate=0.1, averaging_rate_power=0.0)
    parameter = np.array([3.0, 4.0])
    state = rule.init((parameter,))
    z, fast_points = parameter, []
    for beta in (0.9, 0.5, 0.8, 0.2, 0.95):
        now = rule.with_settings(momentum=beta)
        gradient = np.array([0.4, 4.0]) * parameter
        (update,), state = now.update((gradient,), state, (parameter,))
        parameter = parameter + update
        z = z - 0.1 * gradient
        fast_points.append(z)
        x = np.mean(fast_points, axis=0)
        np.testing.assert_allclose(parameter, (1 - beta) * z + beta * x, rtol=1e-12)
        # Whatever β the rule that is asked has.
        np.testing.assert_allclose(rule.evaluation_point(state, (parameter,))[0], x, rtol=1e-12)


def test_an_interpolation_that_a_schedule_takes_to_zero_is_an_error():
    rule = ScheduleFreeSGD(momentum=schedule("linear(start=0.9, end=0.0, steps=1)"))
    x = (np.ones(2),)
    _, state = rule.at(0).update(x, rule.init(x), x)
    with pytest.raises(ArgumentError, match="above 0"):
        rule.at(1).update(x, state, x)
