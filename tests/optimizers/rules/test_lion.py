"""Lion against pytorch_optimizer."""

from __future__ import annotations

import pytorch_optimizer
import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.lion import Lion
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    courses,
    decays,
    drive_rule,
    drive_torch,
    fractions,
    rates,
)


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), beta1=fractions(), beta2=fractions(), weight_decay=decays())
def test_lion_equals_pytorch_optimizer_step_by_step(
    course: Course, learning_rate: float, beta1: float, beta2: float, weight_decay: float
) -> None:
    rule = Lion(learning_rate=learning_rate, beta1=beta1, beta2=beta2, weight_decay=weight_decay)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return pytorch_optimizer.Lion(parameters, lr=learning_rate, betas=(beta1, beta2), weight_decay=weight_decay)

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
