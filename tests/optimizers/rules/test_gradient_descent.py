"""Gradient descent against PyTorch, and by hand."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings

from optiscope.optimizers.rules.gradient_descent import GradientDescent
from tests.optimizers.reference import Course, assert_same_path, courses, decays, drive_rule, drive_torch, rates


@settings(max_examples=20)
@given(course=courses(), learning_rate=rates(), weight_decay=decays())
def test_gradient_descent_equals_pytorch_step_by_step(
    course: Course, learning_rate: float, weight_decay: float
) -> None:
    rule = GradientDescent(learning_rate=learning_rate, weight_decay=weight_decay)

    def reference(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=learning_rate, weight_decay=weight_decay)

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


def test_one_step_on_a_linear_model_gives_the_known_answer() -> None:
    """z = xW + b, loss ½(z−y)²: the answer is a published worked example, to the digits that it gives."""
    x, target = np.array([-4.080414, -1.3719953]), -3.136211
    weights, bias = np.array([-4.080414, -1.3719953]), np.array(0.0)
    error = x @ weights + bias - target
    rule = GradientDescent(learning_rate=0.01)
    (moved, _), _ = rule.update((error * x, np.asarray(error)), rule.init((weights, bias)), (weights, bias))
    np.testing.assert_allclose(weights + moved, [-3.196255, -1.0747064], atol=5e-7)
