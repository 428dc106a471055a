"""Rows of a batch are what they would be alone."""

from __future__ import annotations

import numpy as np
import pytest

from optiscope.experiments.race.simulation import record, summarise
from optiscope.optimizers.registry import rule, rule_types
from optiscope.optimizers.schedules.registry import schedule
from optiscope.problems.functions.registry import function

STARTS = np.array([[-1.2, 1.0], [0.5, 2.0], [1.5, -0.5]])
SEEDS = np.zeros(3, dtype=np.int64)


@pytest.mark.parametrize("name", list(rule_types()))
def test_a_row_among_others_is_what_it_is_alone(name):
    problem = function("rosenbrock")
    rates = np.array([[1e-4], [1e-3], [5e-4]])
    one = rule(name)
    batch = one.with_settings(learning_rate=rates) if "learning_rate" in one.settings else one
    together = record(problem, batch, STARTS, steps=12, seeds=SEEDS)
    for row in range(3):
        alone = one.with_settings(learning_rate=float(rates[row, 0])) if "learning_rate" in one.settings else one
        single = record(problem, alone, STARTS[row : row + 1], steps=12, seeds=SEEDS[:1])
        np.testing.assert_allclose(single.points[:, 0], together.points[:, row], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            single.effective_rates[:, 0], together.effective_rates[:, row], rtol=1e-7, atol=1e-12
        )


@pytest.mark.parametrize("name", ["sgd", "adam", "newton", "schedule_free_sgd", "nesterov_lookahead"])
def test_a_summary_agrees_with_the_record(name):
    problem = function("booth")
    one = rule(name)
    one = one.with_settings(learning_rate=0.02) if "learning_rate" in one.settings else one
    whole = record(problem, one, STARTS, steps=60, seeds=SEEDS)
    losses = problem.value(whole.points)
    target = float(np.median(losses))
    brief = summarise(problem, one, STARTS, steps=60, seeds=SEEDS, bound=1e3, target=target)
    np.testing.assert_allclose(brief.ends, whole.points[-1], rtol=1e-12)
    np.testing.assert_allclose(brief.losses, losses[-3:].mean(axis=0), rtol=1e-9)
    first = [np.flatnonzero(losses[:, row] <= target)[:1] for row in range(3)]
    np.testing.assert_array_equal(brief.reached, [steps[0] if len(steps) else np.inf for steps in first])


def test_a_row_that_diverges_is_infinite_and_leaves_the_others_alone():
    problem = function("rosenbrock")
    rates = np.array([[1e-4], [1.0], [1e-4]])
    wild = rule("sgd").with_settings(learning_rate=rates)
    summary = summarise(problem, wild, STARTS, steps=100, seeds=SEEDS, bound=1e3, target=1e-9)
    assert np.isinf(summary.losses).tolist() == [False, True, False]
    assert np.isinf(summary.reached).all()


def test_float32_stays_float32():
    problem = function("rosenbrock")
    kept = summarise(
        problem, rule("adam", learning_rate=0.01), STARTS.astype(np.float32), steps=50, seeds=SEEDS, bound=1e3
    )
    exact = summarise(problem, rule("adam", learning_rate=0.01), STARTS, steps=50, seeds=SEEDS, bound=1e3)
    assert kept.ends.dtype == np.float32
    np.testing.assert_allclose(kept.ends, exact.ends, atol=1e-4)


def test_a_schedule_takes_the_place_of_a_setting():
    problem = function("booth")
    start = STARTS[:1]
    decayed = rule("sgd", learning_rate=schedule("exponential(start=0.05, factor=0.9)"))
    kept = record(problem, decayed, start, steps=5, seeds=SEEDS[:1])
    x = start[0]
    for step in range(5):
        x = x - 0.05 * 0.9**step * problem.gradient(x)
        np.testing.assert_allclose(kept.points[step + 1, 0], x, rtol=1e-12)
        np.testing.assert_allclose(kept.effective_rates[step + 1, 0], 0.05 * 0.9**step, rtol=1e-12)


def test_a_plateau_reduces_the_rate_of_the_row_that_stalls():
    problem = function("booth")
    plateau = schedule("reduce_on_plateau(value=0.1, factor=0.5, patience=2)")
    starts = np.array([problem.minima[0], [-5.0, 5.0]])
    kept = record(problem, rule("sgd", learning_rate=plateau), starts, steps=8, seeds=SEEDS[:2])
    assert kept.effective_rates[-1, 0, 0] < 0.1
    assert kept.effective_rates[-1, 1, 0] == 0.1


def test_overflow_makes_no_warning():
    problem = function("goldstein_price")
    kept = record(problem, rule("sgd", learning_rate=10.0), STARTS, steps=50, seeds=SEEDS)
    assert not np.isfinite(kept.points[-1]).all()


def test_a_scheduled_momentum_is_that_of_the_step_in_the_look_ahead_too():
    problem = function("booth")
    momentum = schedule("linear(start=0.5, end=0.9, steps=6)")
    kept = record(
        problem, rule("nesterov_lookahead", learning_rate=0.01, momentum=momentum), STARTS[:1], steps=6, seeds=SEEDS[:1]
    )
    x, velocity = STARTS[0], np.zeros(2)
    for step in range(6):
        rho = momentum(step)
        np.testing.assert_allclose(kept.probes[step, 0], x + rho * velocity, rtol=1e-12)
        velocity = rho * velocity - 0.01 * problem.gradient(x + rho * velocity)
        x = x + velocity
        np.testing.assert_allclose(kept.points[step + 1, 0], x, rtol=1e-12)
