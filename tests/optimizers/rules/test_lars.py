"""LARS against pytorch_optimizer, and against the paper on vectors, to which that does not apply it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytorch_optimizer
import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.lars import LARS
from tests.optimizers.reference import (
    MATRICES,
    Course,
    assert_same_path,
    courses,
    decays,
    drive_formula,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)


@settings(max_examples=20)
@given(
    course=courses(shapes=MATRICES),
    learning_rate=rates(1e-2, 1e2),
    momentum=fractions(),
    trust_coefficient=rates(1e-4, 1e-2),
    weight_decay=decays(),
)
def test_lars_equals_pytorch_optimizer_on_matrices(
    course: Course, learning_rate: float, momentum: float, trust_coefficient: float, weight_decay: float
) -> None:
    rule = LARS(
        learning_rate=learning_rate,
        momentum=momentum,
        trust_coefficient=trust_coefficient,
        weight_decay=weight_decay,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return pytorch_optimizer.LARS(
            parameters,
            lr=learning_rate,
            momentum=momentum,
            trust_coefficient=trust_coefficient,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(1e-2, 1e2), momentum=fractions(), weight_decay=decays())
def test_lars_equals_the_paper_on_tensors_of_every_shape(
    course: Course, learning_rate: float, momentum: float, weight_decay: float
) -> None:
    def formula(step: int, parameter: np.ndarray, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
        size, steepness = (math.hypot(*one.ravel().tolist()) for one in (parameter, gradient))
        ratio = 1e-3 * size / (steepness + weight_decay * size)
        memory["v"] = momentum * memory.get("v", 0.0) + ratio * learning_rate * (gradient + weight_decay * parameter)
        return parameter - memory["v"]

    rule = LARS(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)
    assert_same_path(drive_rule(rule, course), drive_formula(formula, course))


def test_a_tensor_of_zeros_can_leave_zero() -> None:
    start, gradient = np.zeros(2), np.array([1.0, -2.0])
    rule = LARS(learning_rate=0.1)
    (update,), _ = rule.update((gradient,), rule.init((start,)), (start,))
    np.testing.assert_allclose(update, -0.1 * gradient)
