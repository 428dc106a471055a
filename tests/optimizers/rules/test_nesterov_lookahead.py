"""Nesterov’s rule with its look-ahead, against the rewritten form and the paper."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiscope.optimizers.rules.nesterov_lookahead import NesterovLookahead
from tests.optimizers.reference import decays, fractions, rates

CURVATURES = np.array([0.3, 1.0, 2.5])


def slope(x: np.ndarray) -> np.ndarray:
    """The gradient of ½ Σ cx² + ¼ Σ x⁴: not linear, so that where it is taken counts."""
    return CURVATURES * x + x**3


@settings(max_examples=20)
@given(
    start=st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(np.array),
    learning_rate=rates(1e-3, 0.1),
    momentum=fractions(0.95).filter(bool),
    weight_decay=decays(),
)
def test_its_look_ahead_point_walks_the_path_of_pytorchs_form(
    start: np.ndarray, learning_rate: float, momentum: float, weight_decay: float
) -> None:
    rule = NesterovLookahead(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    reference = torch.optim.SGD(
        [parameter], lr=learning_rate, momentum=momentum, nesterov=True, weight_decay=weight_decay
    )
    x, state = start, rule.init((start,))
    for _ in range(40):
        (probe,) = rule.probe(state, (x,))
        np.testing.assert_allclose(probe, parameter.detach().numpy(), rtol=1e-12, atol=1e-12)
        (update,), state = rule.update((slope(probe),), state, (x,))
        x = x + update
        parameter.grad = torch.from_numpy(slope(parameter.detach().numpy()))
        reference.step()


@settings(max_examples=20)
@given(
    start=st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(np.array),
    learning_rate=rates(1e-3, 0.1),
    momentum=fractions(0.95),
)
def test_it_equals_the_paper_step_by_step(start: np.ndarray, learning_rate: float, momentum: float) -> None:
    rule = NesterovLookahead(learning_rate=learning_rate, momentum=momentum)
    x, state = start, rule.init((start,))
    theirs, velocity = start, np.zeros(3)
    for _ in range(40):
        (update,), state = rule.update((slope(*rule.probe(state, (x,))),), state, (x,))
        x = x + update
        velocity = momentum * velocity - learning_rate * slope(theirs + momentum * velocity)
        theirs = theirs + velocity
        np.testing.assert_allclose(x, theirs, rtol=1e-12, atol=1e-12)
