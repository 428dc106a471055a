"""Nesterov’s rule as the frameworks write it, against PyTorch."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.nesterov import Nesterov
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
@given(course=courses(), learning_rate=rates(), momentum=fractions().filter(bool), weight_decay=decays())
def test_nesterov_equals_pytorch_step_by_step(
    course: Course, learning_rate: float, momentum: float, weight_decay: float
) -> None:
    rule = Nesterov(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            parameters, lr=learning_rate, momentum=momentum, nesterov=True, weight_decay=weight_decay
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
