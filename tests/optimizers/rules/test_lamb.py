"""LAMB against pytorch_optimizer, which has no bias correction, and against the paper, which has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.lamb import LAMB
from optiscope.optimizers.rules.lars import LARS
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    courses,
    decays,
    drive_formula,
    drive_rule,
    drive_torch,
    fractions,
    memories,
    rates,
)


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(1e-3, 0.03),
    beta1=fractions(),
    beta2=memories(),
    weight_decay=decays(),
)
def test_without_bias_correction_lamb_equals_pytorch_optimizer(
    course: Course, learning_rate: float, beta1: float, beta2: float, weight_decay: float
) -> None:
    # The reference also adds ε to the norm below the ratio: with this one that does not count. It cuts norms of
    # parameters at 10, which these learning rates do not reach.
    rule = LAMB(
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        epsilon=1e-20,
        weight_decay=weight_decay,
        bias_correction=False,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return pytorch_optimizer.Lamb(
            parameters,
            lr=learning_rate,
            betas=(beta1, beta2),
            eps=1e-20,
            weight_decay=weight_decay,
            weight_decouple=False,
            adam_debias=True,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(1e-3, 0.3),
    beta1=fractions(),
    beta2=memories(),
    epsilon=rates(1e-8, 1e-2),
    weight_decay=decays(),
)
def test_lamb_equals_the_paper_step_by_step(
    course: Course, learning_rate: float, beta1: float, beta2: float, epsilon: float, weight_decay: float
) -> None:
    def formula(step: int, parameter: np.ndarray, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
        m = memory["m"] = beta1 * memory.get("m", 0.0) + (1 - beta1) * gradient
        v = memory["v"] = beta2 * memory.get("v", 0.0) + (1 - beta2) * gradient**2
        adam = m / (1 - beta1**step) / (np.sqrt(v / (1 - beta2**step)) + epsilon)
        direction = adam + weight_decay * parameter
        size, length = (math.hypot(*one.ravel().tolist()) for one in (parameter, direction))
        return parameter - learning_rate * size / length * direction

    rule = LAMB(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
    assert_same_path(drive_rule(rule, course), drive_formula(formula, course))


def test_a_tensor_of_zeros_can_leave_zero() -> None:
    start = np.zeros(2)
    rule = LAMB(learning_rate=0.1, epsilon=0.0)
    (update,), _ = rule.update((np.array([1.0, -2.0]),), rule.init((start,)), (start,))
    np.testing.assert_allclose(update, [-0.1, 0.1])


@pytest.mark.parametrize("kind", [LAMB, LARS])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_large_tensors_of_half_precision_have_a_norm(kind, library):
    # The sum of 100,000 squares is beyond the largest number of float16.
    x = np.ones(100_000, dtype=np.float16)
    if library == "torch":
        x = torch.from_numpy(x)
    rule = kind(learning_rate=0.1)
    (update,), state = rule.update((x,), rule.init((x,)), (x,))
    assert update.dtype == x.dtype
    expected = -0.1 if kind is LAMB else -0.1 * 1e-3
    np.testing.assert_allclose(np.asarray(update), expected, rtol=2e-3)
    (rate,) = rule.effective_rate(state, (x,))
    assert rate.dtype == x.dtype
    assert np.isfinite(np.asarray(rate)).all()
