"""Rprop against PyTorch."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.optimizers.rules.rprop import Rprop
from tests.optimizers.reference import Course, assert_same_path, courses, drive_rule, drive_torch, rates


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(),
    increase=st.floats(1.01, 2.0),
    decrease=st.floats(0.1, 0.99),
    smallest=rates(1e-6, 1e-2),
    largest=rates(0.05, 50.0),
)
def test_rprop_equals_pytorch_step_by_step(
    course: Course, learning_rate: float, increase: float, decrease: float, smallest: float, largest: float
) -> None:
    rule = Rprop(learning_rate=learning_rate, increase=increase, decrease=decrease, smallest=smallest, largest=largest)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Rprop(
            parameters, lr=learning_rate, etas=(decrease, increase), step_sizes=(smallest, largest)
        )

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))
