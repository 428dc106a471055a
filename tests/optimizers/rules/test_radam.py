"""RAdam against PyTorch, before and after its rates become adaptive."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.radam import RAdam
from tests.optimizers.reference import (
    Course,
    assert_same_path,
    courses,
    decays,
    drive_rule,
    drive_torch,
    fractions,
    memories,
    rates,
)


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(),
    beta1=fractions(),
    beta2=memories(),
    epsilon=rates(1e-8, 1e-2),
    weight_decay=decays(),
)
def test_radam_equals_pytorch_step_by_step(
    course: Course, learning_rate: float, beta1: float, beta2: float, epsilon: float, weight_decay: float
) -> None:
    rule = RAdam(
        learning_rate=learning_rate,
        beta1=beta1,
        beta2=beta2,
        epsilon=epsilon,
        weight_decay=weight_decay,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RAdam(
            parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
