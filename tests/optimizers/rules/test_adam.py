"""What Adam has beyond the settings of its relatives; test_two_moments.py compares it with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings

from optiscope.optimizers.rules.adam import Adam
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    course,
    courses,
    drive_formula,
    drive_rule,
    fractions,
    memories,
    rates,
)


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), beta1=fractions(), beta2=memories(), epsilon=rates(1e-8, 1e-2))
def test_with_epsilon_inside_adam_equals_its_formula(
    course: Course, learning_rate: float, beta1: float, beta2: float, epsilon: float
) -> None:
    def formula(step: int, parameter: np.ndarray, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
        m = memory["m"] = beta1 * memory.get("m", 0.0) + (1 - beta1) * gradient
        v = memory["v"] = beta2 * memory.get("v", 0.0) + (1 - beta2) * gradient**2
        m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
        return parameter - learning_rate * m_hat / np.sqrt(v_hat + epsilon)

    rule = Adam(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, epsilon_inside=True)
    assert_same_path(drive_rule(rule, course), drive_formula(formula, course))


def test_the_effective_rate_is_what_the_corrected_momentum_is_times() -> None:
    way = course(3)
    rule = Adam(learning_rate=0.1, beta1=0.8, beta2=0.95)
    state = rule.init(way.start)
    for step, gradients in enumerate(way.gradients, start=1):
        updates, state = rule.update(gradients, state, way.start)
        rates_now = rule.effective_rate(state, way.start)
        for update, rate, one in zip(updates, rates_now, state, strict=True):
            np.testing.assert_allclose(update, -rate * one["momentum"] / (1 - 0.8**step), rtol=1e-12)
