"""Sophia against pytorch_optimizer, and where the curvature is of no use."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.errors import ArgumentError
from optiscope.optimizers.rules.sophia import Sophia
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


class GivenCurvature:
    """The reference, told the curvature every k steps."""

    def __init__(self, optimizer: pytorch_optimizer.SophiaH, course: Course, every: int) -> None:
        self.optimizer = optimizer
        self.curvatures = course.curvatures
        self.every = every
        self.steps = 0

    def step(self) -> None:
        due = self.steps % self.every == 0
        hessian = [torch.from_numpy(np.array(one)) for one in self.curvatures[self.steps]] if due else None
        self.optimizer.step(hessian=hessian)
        self.steps += 1


@settings(max_examples=20)
@given(
    course=courses(),
    learning_rate=rates(1e-3, 0.3),
    beta1=fractions(),
    beta2=fractions(),
    gamma=rates(1e-2, 1.0),
    weight_decay=decays(),
    every=st.integers(1, 6),
)
def test_sophia_equals_pytorch_optimizer_step_by_step(
    course: Course,
    learning_rate: float,
    beta1: float,
    beta2: float,
    gamma: float,
    weight_decay: float,
    every: int,
) -> None:
    # The reference has clip(m/max(h, ε), ±γ) where the paper, and this, have clip(m/max(γh, γε), ±1).
    rule = Sophia(
        learning_rate=learning_rate * gamma,
        beta1=beta1,
        beta2=beta2,
        gamma=gamma,
        epsilon=1e-12 * gamma,
        weight_decay=weight_decay / gamma,
        every=every,
    )

    def reference(parameters: list[torch.nn.Parameter]) -> GivenCurvature:
        optimizer = pytorch_optimizer.SophiaH(
            parameters,
            lr=learning_rate,
            betas=(beta1, beta2),
            weight_decay=weight_decay,
            weight_decouple=True,
            p=gamma,
            eps=1e-12,
            update_period=1000,
        )
        return GivenCurvature(optimizer, course, every)

    assert_same_path(drive_rule(rule, course), drive_torch(reference, course))


def test_where_the_curvature_is_negative_every_step_is_the_learning_rate() -> None:
    start, gradient = np.array([1.0, 2.0]), np.array([3.0, -0.5])
    rule = Sophia(learning_rate=0.1)
    (update,), _ = rule.update((gradient,), rule.init((start,)), (start,), curvature=(np.array([-1.0, -2.0]),))
    np.testing.assert_allclose(update, [-0.1, 0.1])


def test_a_missing_curvature_is_an_error_that_says_what_is_wanted() -> None:
    start = np.ones(2)
    rule = Sophia()
    with pytest.raises(ArgumentError, match="diagonal every 10 steps"):
        rule.update((start,), rule.init((start,)), (start,))
