"""RMSprop against PyTorch, with momentum and centred."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.optimizers.rules.rmsprop import RMSprop
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
    beta=memories(),
    centred=st.booleans(),
    epsilon=rates(1e-8, 1e-2),
    momentum=fractions(),
    weight_decay=decays(),
)
def test_rmsprop_equals_pytorch_step_by_step(
    course: Course,
    learning_rate: float,
    beta: float,
    epsilon: float,
    momentum: float,
    centred: bool,
    weight_decay: float,
) -> None:
    rule = RMSprop(
        learning_rate=learning_rate,
        beta=beta,
        epsilon=epsilon,
        momentum=momentum,
        centred=centred,
        weight_decay=weight_decay,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(
            parameters,
            lr=learning_rate,
            alpha=beta,
            eps=epsilon,
            momentum=momentum,
            centered=centred,
            weight_decay=weight_decay,
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
