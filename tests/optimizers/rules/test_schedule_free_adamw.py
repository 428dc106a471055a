from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import pytorch_optimizer
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.schedule_free_adamw import ScheduleFreeAdamW
from tests.optimizers.reference import assert_same_path, courses, decays, drive_rule, drive_torch, fractions, rates


class _WithoutFloor(pytorch_optimizer.ScheduleFreeAdamW):
    """The library adds 1e-15 inside the root, beside ε outside; the paper does not."""

    apply_ams_bound = staticmethod(partial(pytorch_optimizer.ScheduleFreeAdamW.apply_ams_bound, exp_avg_sq_eps=0.0))


@settings(max_examples=20, deadline=None)
@given(
    course=courses(),
    learning_rate=rates(),
    beta1=st.floats(0.1, 0.99),
    beta2=fractions(0.9999),
    epsilon=rates(1e-12, 1e-2),
    averaging_power=fractions(2.0),
    warm_up=st.integers(0, 20),
    weight_decay=decays(),
)
def test_schedule_free_adamw_equals_the_library_step_by_step(
    course, learning_rate, beta1, beta2, epsilon, averaging_power, warm_up, weight_decay
):
    rule = ScheduleFreeAdamW(
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        epsilon=epsilon,
        averaging_power=averaging_power,
        warm_up=warm_up,
        weight_decay=weight_decay,
    )

    def reference(parameters):
        return _WithoutFloor(
            parameters,
            lr=learning_rate,
            betas=(beta1, beta2),
            eps=epsilon,
            r=averaging_power,
            warmup_steps=warm_up,
            weight_decay=weight_decay,
            foreach=False,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


def test_the_first_step_is_as_long_as_the_learning_rate():
    # v̂ = g² at first, so z moves by α in each coordinate; all weight is on it, so x and y are there too.
    rule = ScheduleFreeAdamW(learning_rate=0.2, epsilon=0.0)
    parameter = np.array([3.0, -4.0])
    (update,), state = rule.update((np.array([7.0, -0.1]),), rule.init((parameter,)), (parameter,))
    np.testing.assert_allclose(update, [-0.2, 0.2], rtol=1e-12)
    np.testing.assert_allclose(rule.evaluation_point(state, (parameter + update,))[0], parameter + update, rtol=1e-12)
    np.testing.assert_allclose(rule.effective_rate(state, (parameter,))[0], [0.2 / 7, 0.2 / 0.1], rtol=1e-12)
    assert set(rule.internals(state)) == {"fast", "second_moment"}


def test_an_interpolation_of_zero_is_an_error():
    with pytest.raises(ArgumentError, match="β of schedule_free_adamw is above 0"):
        ScheduleFreeAdamW(beta1=0.0)
