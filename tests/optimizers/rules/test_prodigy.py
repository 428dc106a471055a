from __future__ import annotations

import numpy as np
import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.optimizers.rules.prodigy import Prodigy
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    course,
    courses,
    decays,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)


@pytest.fixture(scope="module", autouse=True)
def _reference_in_double():
    # The library keeps the two sums of the distance in tensors of the default dtype.
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def downhill(seed: int) -> Course:
    """Gradients that point away from the start, as on a slope: the distance grows by orders of magnitude."""
    noisy = course(seed)
    gradients = tuple(
        tuple(np.asarray(np.abs(one) * (-1) ** number) for number, one in enumerate(step)) for step in noisy.gradients
    )
    return Course(start=noisy.start, gradients=gradients, curvatures=noisy.curvatures)


@settings(max_examples=20, deadline=None)
@given(
    course=st.one_of(courses(), st.integers(0, 2**32 - 1).map(downhill)),
    learning_rate=rates(1e-1, 1.0),
    beta1=fractions(0.99),
    beta2=st.floats(0.5, 0.9999),
    distance_decay=st.one_of(st.none(), st.floats(0.5, 0.999)),
    initial_distance=rates(1e-6, 1e-1),
    distance_factor=rates(0.3, 1.0),
    growth_limit=st.one_of(st.just(float("inf")), st.floats(1.01, 3.0)),
    bias_correction=st.booleans(),
    safeguard_warm_up=st.booleans(),
    weight_decay=decays(),
)
def test_prodigy_equals_the_library_step_by_step(
    course,
    learning_rate,
    beta1,
    beta2,
    distance_decay,
    initial_distance,
    distance_factor,
    growth_limit,
    bias_correction,
    safeguard_warm_up,
    weight_decay,
):
    rule = Prodigy(
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        distance_decay=distance_decay,
        initial_distance=initial_distance,
        distance_factor=distance_factor,
        growth_limit=growth_limit,
        bias_correction=bias_correction,
        safeguard_warm_up=safeguard_warm_up,
        weight_decay=weight_decay,
    )

    def reference(parameters):
        return pytorch_optimizer.Prodigy(
            parameters,
            lr=learning_rate,
            betas=(beta1, beta2),
            beta3=distance_decay,
            d0=initial_distance,
            d_coef=distance_factor,
            growth_rate=growth_limit,
            bias_correction=bias_correction,
            safeguard_warmup=safeguard_warm_up,
            weight_decay=weight_decay,
        )

    # At first θ₀ − θ is d₀ times as large as θ, so rounding of θ is 1e-16/d₀ of it; the estimate is no more exact.
    # (A larger α or c makes the estimate run away, and rounding with it.)
    tolerance = max(1e-11, 1e-15 / initial_distance)
    assert_same_path(drive_rule(rule, course), drive_torch(reference, course), tolerance=tolerance)


def test_the_courses_make_the_distance_grow():
    rule = Prodigy(initial_distance=1e-4)
    way = downhill(0)
    state, parameters = rule.init(way.start), way.start
    for gradients in way.gradients:
        updates, state = rule.update(gradients, state, parameters)
        parameters = tuple(one + update for one, update in zip(parameters, updates, strict=True))
    assert state["distance"].item() > 3e-4


def test_the_distance_approaches_that_of_the_minimum_from_below():
    # f(θ) = ‖θ − θ*‖₁ from 0: s adds up equal signs, and d cannot exceed the largest coordinate of the way.
    minimum = np.array([5.0, -5.0])
    rule = Prodigy()
    parameter = np.zeros(2)
    state = rule.init((parameter,))
    for _ in range(300):
        (update,), state = rule.update((np.sign(parameter - minimum),), state, (parameter,))
        parameter = parameter + update
    assert 0.2 < state["distance"].item() <= 5.0
    assert np.abs(parameter - minimum).max() < 1.5


def test_without_gradients_nothing_moves_and_nothing_is_estimated():
    rule = Prodigy()
    parameter = np.ones(3)
    (update,), state = rule.update((np.zeros(3),), rule.init((parameter,)), (parameter,))
    assert (update == 0).all()
    assert state["distance"].item() == 1e-6
    assert rule.internals(state).keys() == {"momentum", "second_moment", "gradient_sum", "distance"}


def test_the_effective_rate_times_the_momentum_of_gradients_is_the_step():
    rule = Prodigy(beta1=0.0, growth_limit=1.0)
    gradients = (np.array([2.0, -3.0]), np.array([[1.0]]))
    parameters = (np.zeros(2), np.zeros((1, 1)))
    updates, state = rule.update(gradients, rule.init(parameters), parameters)
    for rate, gradient, update in zip(rule.effective_rate(state, parameters), gradients, updates, strict=True):
        np.testing.assert_allclose(-rate * gradient, update, rtol=1e-12)
