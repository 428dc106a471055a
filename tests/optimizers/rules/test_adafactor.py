from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.adafactor import Adafactor
from tests.optimizers.reference import assert_same_path, course, courses, decays, drive_rule, drive_torch, rates


@settings(max_examples=20, deadline=None)
@given(
    course=courses(),
    learning_rate=rates(),
    decay_exponent=st.floats(0.1, 1.0),
    clip_threshold=st.floats(1.0, 3.0),
    epsilon=st.one_of(st.none(), rates(1e-12, 1e-1)),
    smallest_scale=rates(1e-6, 2.0),
    weight_decay=decays(),
)
def test_adafactor_equals_pytorch_step_by_step(
    course, learning_rate, decay_exponent, clip_threshold, epsilon, smallest_scale, weight_decay
):
    rule = Adafactor(
        learning_rate=learning_rate,
        decay_exponent=decay_exponent,
        clip_threshold=clip_threshold,
        epsilon=epsilon,
        smallest_scale=smallest_scale,
        weight_decay=weight_decay,
    )

    def reference(parameters):
        return torch.optim.Adafactor(
            parameters,
            lr=learning_rate,
            beta2_decay=-decay_exponent,
            eps=(epsilon, smallest_scale),
            d=clip_threshold,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


def test_adafactor_equals_pytorch_in_float32():
    single = course(3).astype("float32")
    # Nothing but the order of sums differs: 16 steps of rounding at 6e-8.
    assert_same_path(drive_rule(Adafactor(), single), drive_torch(torch.optim.Adafactor, single), tolerance=2e-6)


def test_the_second_moment_of_a_matrix_of_rank_one_is_exact():
    # If g² is an outer product, rows and columns say all about it: every coordinate moves by the same amount.
    gradient = np.outer([1.0, 2.0, -3.0], [0.5, -4.0])
    rule = Adafactor(learning_rate=0.1)
    parameter = np.full((3, 2), 2.0)
    (update,), state = rule.update((gradient,), rule.init((parameter,)), (parameter,))
    # rms(θ) = 2, min(α, 1/√1) = 0.1, and g/√v = ±1.
    np.testing.assert_allclose(update, -0.2 * np.sign(gradient), rtol=1e-12)
    np.testing.assert_allclose(rule.effective_rate(state, (parameter,))[0] * gradient, -update, rtol=1e-12)


def test_a_matrix_keeps_only_sums_of_rows_and_columns():
    rule = Adafactor()
    (state,) = rule.init((np.ones((5, 3)),))
    assert state["row_moment"].shape == (5, 1)
    assert state["column_moment"].shape == (1, 3)
    assert rule.internals((state,)) == {}
    assert list(rule.internals(rule.init((np.ones(2),)))) == ["second_moment"]


def test_a_negative_floor_is_an_error():
    with pytest.raises(ArgumentError, match="epsilon"):
        Adafactor(epsilon=-1e-3)
