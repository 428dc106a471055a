"""Where five rules end on two functions, as published worked examples have it, to the digits that they give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optiscope.optimizers.rule import Rule
from optiscope.optimizers.rules.adagrad import AdaGrad
from optiscope.optimizers.rules.adam import Adam
from optiscope.optimizers.rules.classical_momentum import ClassicalMomentum
from optiscope.optimizers.rules.gradient_descent import GradientDescent
from optiscope.optimizers.rules.momentum import Momentum
from optiscope.optimizers.rules.rmsprop import RMSprop

WEIGHTS = np.array([0.2, 2.0])
INSIDE = {"epsilon": 1e-7, "epsilon_inside": True}


def sphere_slope(x: np.ndarray) -> np.ndarray:
    """The gradient of w·x²."""
    return 2 * WEIGHTS * x


def saddle_slope(x: np.ndarray) -> np.ndarray:
    """The gradient of x₀² + x₁² + x₁³ + x₀x₁."""
    return np.stack([2 * x[..., 0] + x[..., 1], 2 * x[..., 1] + 3 * x[..., 1] ** 2 + x[..., 0]], axis=-1)


def walk(rule: Rule, slope: Callable[[np.ndarray], np.ndarray], start: list[float], *, steps: int) -> np.ndarray:
    """The points after each step, the start among them."""
    x = np.array(start)
    state, points = rule.init((x,)), [x]
    for _ in range(steps):
        (update,), state = rule.update((slope(x),), state, (x,))
        x = x + update
        points.append(x)
    return np.array(points)


@pytest.mark.parametrize(
    ("rule", "steps", "end", "loss"),
    [
        (GradientDescent(learning_rate=0.2), 20, (0.566079987, 4.194304e-14), 0.0640893104),
        (AdaGrad(learning_rate=0.5, **INSIDE), 50, (0.03837005, 0.24998814), 0.1252825883),
        (RMSprop(learning_rate=0.1, beta=0.9, **INSIDE), 50, (0.00252965, 0.10352261), 0.0214351393),
        (ClassicalMomentum(learning_rate=0.01, momentum=0.9), 50, (0.20275762, -0.2725841), 0.1568263174),
        (Momentum(learning_rate=0.01, momentum=0.9), 50, (0.20275762, -0.2725841), 0.1568263174),
        (Adam(learning_rate=0.2, beta1=0.9, beta2=0.99, **INSIDE), 20, (-0.29364447, 0.42443474), 0.3775351099),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)
def test_on_the_weighted_sphere_a_rule_ends_where_it_is_known_to(
    rule: Rule, steps: int, end: tuple[float, float], loss: float
) -> None:
    x = walk(rule, sphere_slope, [3.0, 4.0], steps=steps)[-1]
    # Half a unit of the last digit that is given.
    digits = 5.1e-9 if rule.name != "sgd" else 5.1e-10
    np.testing.assert_allclose(x[0], end[0], rtol=0, atol=digits)
    np.testing.assert_allclose(x[1], end[1], rtol=0, atol=digits if rule.name != "sgd" else 5.1e-21)
    np.testing.assert_allclose(WEIGHTS @ x**2, loss, rtol=0, atol=5.1e-11)


@pytest.mark.parametrize(
    ("rule", "end"),
    [
        (GradientDescent(learning_rate=0.01), (0.09747339, -0.07159986)),
        (AdaGrad(learning_rate=0.5, **INSIDE), (-0.04595201, 0.07561108)),
        (RMSprop(learning_rate=0.1, beta=0.9, **INSIDE), (-0.0422924, -0.04821665)),
        (Adam(learning_rate=0.1, beta1=0.9, beta2=0.99, **INSIDE), (-0.00186641, 0.0051925)),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)
def test_on_the_cubic_saddle_a_rule_stays_in_the_basin_of_the_origin(rule: Rule, end: tuple[float, float]) -> None:
    # RMSprop swings around the minimum for ever, and rounding grows to 1e-3 on the way: its end is the known one
    # because (α/√(G+ε))·g is worked out in this order, and the terms of the slope are added in that of the formula.
    x = walk(rule, saddle_slope, [2.0, 3.0], steps=150)[-1]
    np.testing.assert_allclose(x, end, rtol=0, atol=5.1e-9)


def test_on_the_cubic_saddle_momentum_is_beyond_a_thousand_at_step_19() -> None:
    points = walk(ClassicalMomentum(learning_rate=0.01, momentum=0.9), saddle_slope, [2.0, 3.0], steps=19)
    assert np.abs(points[18]).max() < 1e3 < np.abs(points[19]).max()
