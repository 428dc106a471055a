"""Momentum, form A, against PyTorch and against the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.classical_momentum import ClassicalMomentum
from optiscope.optimizers.rules.momentum import Momentum
from optiscope.optimizers.schedules.schedule import Schedule
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    course,
    courses,
    decays,
    drive_formula,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), momentum=fractions(), weight_decay=decays())
def test_classical_momentum_equals_pytorch_while_the_learning_rate_is_constant(
    course: Course, learning_rate: float, momentum: float, weight_decay: float
) -> None:
    rule = ClassicalMomentum(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=learning_rate, momentum=momentum, weight_decay=weight_decay)

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


@dataclass(frozen=True)
class Halving(Schedule):
    """α halves every five steps."""

    start: float

    def __call__(self, step: int) -> float:
        return self.start * 0.5 ** (step // 5)


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), momentum=fractions())
def test_under_a_schedule_it_keeps_the_velocity_that_it_has(
    course: Course, learning_rate: float, momentum: float
) -> None:
    schedule = Halving(learning_rate)

    def formula(step: int, parameter: np.ndarray, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
        memory["moved"] = momentum * memory.get("moved", 0.0) - schedule(step - 1) * gradient
        return parameter + memory["moved"]

    rule = ClassicalMomentum(learning_rate=schedule, momentum=momentum)
    assert_same_path(drive_rule(rule, course), drive_formula(formula, course))


def test_the_two_forms_part_when_the_learning_rate_changes_and_not_before() -> None:
    way = course(1)
    form_a = drive_rule(ClassicalMomentum(learning_rate=Halving(0.1)), way)
    form_b = drive_rule(Momentum(learning_rate=Halving(0.1)), way)
    assert_same_path(form_a[:5], form_b[:5])
    assert np.abs(form_a[5][1] - form_b[5][1]).max() > 1e-3
