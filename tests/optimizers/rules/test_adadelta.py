"""AdaDelta against PyTorch."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.adadelta import AdaDelta
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    courses,
    decays,
    drive_rule,
    drive_torch,
    memories,
    rates,
)


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), beta=memories(), epsilon=rates(1e-8, 1e-2), weight_decay=decays())
def test_adadelta_equals_pytorch_step_by_step(
    course: Course, learning_rate: float, beta: float, epsilon: float, weight_decay: float
) -> None:
    rule = AdaDelta(learning_rate=learning_rate, beta=beta, epsilon=epsilon, weight_decay=weight_decay)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adadelta(parameters, lr=learning_rate, rho=beta, eps=epsilon, weight_decay=weight_decay)

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
