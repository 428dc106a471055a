from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError, UnknownName
from optiscope.optimizers.rules.muon import Muon
from tests.optimizers.reference import (
    MATRICES,
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
    # PyTorch's Newton–Schulz rounds to bfloat16 whatever the dtype; without that, the rest is float64.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
        yield


@settings(max_examples=20, deadline=None)
@given(
    course=courses(shapes=MATRICES),
    learning_rate=rates(),
    momentum=fractions(0.99),
    nesterov=st.booleans(),
    scaling=st.sampled_from(["original", "match_rms_adamw"]),
    newton_schulz_steps=st.integers(1, 6),
    weight_decay=decays(),
)
def test_muon_equals_pytorch_step_by_step(
    course, learning_rate, momentum, nesterov, scaling, newton_schulz_steps, weight_decay
):
    rule = Muon(
        learning_rate=learning_rate,
        momentum=momentum,
        nesterov=nesterov,
        scaling=scaling,
        newton_schulz_steps=newton_schulz_steps,
        weight_decay=weight_decay,
    )

    def reference(parameters):
        return torch.optim.Muon(
            parameters,
            lr=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            adjust_lr_fn=scaling,
            ns_steps=newton_schulz_steps,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course), tolerance=1e-11)


def test_singular_values_come_near_one_and_singular_vectors_stay():
    (gradient,) = course(7, shapes=[(4, 3)]).gradients[0]
    rule = Muon(learning_rate=1.0, momentum=0.0, scaling="none")
    (update,), _ = rule.update((gradient,), rule.init((gradient,)), (np.zeros((4, 3)),))
    left, values, right = np.linalg.svd(gradient, full_matrices=False)
    there = left.T @ -update @ right.T
    np.testing.assert_allclose(there, np.diag(np.diag(there)), atol=1e-12)
    assert (np.abs(np.diag(there) - 1) < 0.5).all()
    assert values.max() / values.min() > 2


def test_a_vector_moves_by_the_same_length_at_every_step():
    rule = Muon(learning_rate=0.5, momentum=0.0)
    lengths = []
    for gradient in (np.array([3.0, -4.0]), np.array([1e-5, 0.0])):
        (update,), state = rule.update((gradient,), rule.init((gradient,)), (gradient,))
        lengths.append(np.linalg.norm(update))
        np.testing.assert_allclose(update / lengths[-1], -gradient / np.linalg.norm(gradient), rtol=1e-12)
        (rate,) = rule.effective_rate(state, (gradient,))
        np.testing.assert_allclose(-rate * gradient, update, rtol=1e-12)
    constant = 1.0
    for _ in range(5):
        constant = 3.4445 * constant - 4.7750 * constant**3 + 2.0315 * constant**5
    np.testing.assert_allclose(lengths, 0.5 * constant, rtol=1e-12)
    assert math.isclose(constant, 0.7, abs_tol=0.1)


def test_a_convolution_counts_as_the_matrix_of_its_first_axis_against_the_others():
    way = course(8, shapes=[(4, 3, 2, 2)])
    flat = course(8, shapes=[(4, 12)])
    one, other = drive_rule(Muon(learning_rate=0.1), way), drive_rule(Muon(learning_rate=0.1), flat)
    assert_same_path([tuple(tensor.reshape(4, 12) for tensor in step) for step in one], other)


def test_zero_gradients_move_nothing():
    rule = Muon()
    (update,), state = rule.update((np.zeros((3, 2)),), rule.init((np.ones((3, 2)),)), (np.ones((3, 2)),))
    assert (update == 0).all()
    assert np.isfinite(rule.effective_rate(state, (np.ones((3, 2)),))[0]).all()


def test_wrong_settings_are_errors():
    with pytest.raises(UnknownName, match="original"):
        Muon(scaling="orignal")
    with pytest.raises(ArgumentError, match="newton_schulz_steps"):
        Muon(newton_schulz_steps=0)
    with pytest.raises(ArgumentError, match="coefficients"):
        Muon(coefficients=(1.0, 2.0))
