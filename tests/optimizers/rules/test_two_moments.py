"""Adam and those of its relatives that have the same settings, each against its reference."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import pytorch_optimizer
import torch
from hypothesis import given, settings

from optiscope.optimizers.rule import TensorRule
from optiscope.optimizers.rules.adabelief import AdaBelief
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.rules.adamax import Adamax
from optiscope.optimizers.rules.adamw import AdamW
from optiscope.optimizers.rules.amsgrad import AMSGrad
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


@pytest.mark.parametrize(
    ("rule", "reference"),
    [
        (Adam, torch.optim.Adam),
        (AdamW, torch.optim.AdamW),
        (AMSGrad, functools.partial(torch.optim.Adam, amsgrad=True)),
        (Adamax, torch.optim.Adamax),
        # Before and after its rates become adaptive.
        (RAdam, torch.optim.RAdam),
        (AdaBelief, functools.partial(pytorch_optimizer.AdaBelief, weight_decouple=False)),
    ],
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
def test_each_equals_its_reference_step_by_step(
    rule: type[TensorRule],
    reference: Callable[..., Any],
    course: Course,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    ours = rule(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
    theirs = functools.partial(
        reference, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay
    )
    assert_same_path(drive_rule(ours, course), drive_torch(theirs, course))
