"""AdaGrad against PyTorch. The form with ε inside is checked by the known end points of the sphere."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.adagrad import AdaGrad
from tests.optimizers.reference import Course, assert_same_path, courses, decays, drive_rule, drive_torch, rates


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(),
    learning_rate_decay=decays(),
    initial_accumulator=decays(),
    epsilon=rates(1e-8, 1e-2),
    weight_decay=decays(),
)
def test_adagrad_equals_pytorch_step_by_step(
    course: Course,
    learning_rate: float,
    learning_rate_decay: float,
    initial_accumulator: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    rule = AdaGrad(
        learning_rate=learning_rate,
        learning_rate_decay=learning_rate_decay,
        initial_accumulator=initial_accumulator,
        epsilon=epsilon,
        weight_decay=weight_decay,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adagrad(
            parameters,
            lr=learning_rate,
            lr_decay=learning_rate_decay,
            initial_accumulator_value=initial_accumulator,
            eps=epsilon,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
