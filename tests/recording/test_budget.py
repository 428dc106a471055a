from __future__ import annotations

import pytest

from optiscope.errors import ArgumentError
from optiscope.recording.budget import LONGEST_GAP, RESERVE, UNTHINNED_STEPS, Budget
from optiscope.recording.quantities import Cost
from optiscope.recording.request import request_of

PASSES = {Cost.CHEAP: 2.0, Cost.MODERATE: 7.0, Cost.DEAR: 11.0}


def simulate(fraction, *, steps=20_000, step_seconds=2e-3, pass_seconds=30e-6, fixed=10e-6, pause_at=None):
    """Train with a recorder whose costs are known; return what it cost and how often each class was measured."""
    budget, spent, times, first = Budget(fraction), 0.0, dict.fromkeys(Cost, 0), 0.0
    for step in range(steps):
        measured = {cost: PASSES[cost] for cost in Cost if budget.affordable(cost)}
        seconds = pass_seconds * sum(measured.values())
        for cost in measured:
            times[cost] += 1
        spent += seconds + fixed
        first += seconds if step < UNTHINNED_STEPS else 0
        budget.earn(1, step_seconds + (10.0 if step == pause_at else 0.0))
        if measured:
            budget.measured(measured, seconds + fixed)
        else:
            budget.charge_fixed(fixed)
    return (spent - first) / (steps * step_seconds), times


@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("step_seconds", [5e-4, 2e-3, 5e-2])
def test_the_cost_stays_within_the_budget(fraction, step_seconds):
    overhead, times = simulate(fraction, step_seconds=step_seconds)
    floor = 30e-6 * sum(PASSES.values()) / LONGEST_GAP / step_seconds  # what the longest gap forces, whatever it costs
    fixed = 10e-6 / step_seconds
    assert overhead <= max(fraction * 1.02, fixed + floor * 1.1)
    assert times[Cost.CHEAP] >= times[Cost.MODERATE] >= times[Cost.DEAR] > 0


def test_a_budget_that_suffices_thins_nothing():
    overhead, times = simulate(0.5, steps=2000)
    assert set(times.values()) == {2000}
    assert overhead < 0.5


def test_most_of_the_budget_is_used():
    overhead, _ = simulate(0.05)
    assert overhead > 0.9 * (1 - RESERVE) * 0.05


def test_the_dear_class_is_thinned_first():
    _, times = simulate(0.1)
    assert times[Cost.CHEAP] > 3 * times[Cost.DEAR]


def test_no_class_is_left_unmeasured_for_longer_than_the_longest_gap():
    budget, last, longest = Budget(1e-6), dict.fromkeys(Cost, 0), 0
    for step in range(1000):
        for cost in Cost:
            if budget.affordable(cost):
                longest, last[cost] = max(longest, step - last[cost]), step
        measured = {cost: 1.0 for cost in Cost if last[cost] == step}
        budget.earn(1, 1e-3)
        if measured:
            budget.measured(measured, 1e-3)
    assert longest <= LONGEST_GAP


def test_a_pause_for_evaluation_earns_no_spending_spree():
    _, without = simulate(0.05, steps=3000)
    _, with_pause = simulate(0.05, steps=3000, pause_at=1500)
    assert with_pause[Cost.DEAR] <= without[Cost.DEAR] + 2


def test_without_a_budget_everything_is_always_measured():
    _, times = simulate(None, steps=100)
    assert set(times.values()) == {100}


@pytest.mark.parametrize("wrong", [0, -0.1, float("nan"), float("inf"), 5, "5%"])
def test_a_budget_that_cannot_be_is_refused(wrong):
    with pytest.raises(ArgumentError, match="share of the training time"):
        request_of(chosen=None, raw_gradients=False, histograms=None, snapshots=None, snapshot_bytes=None, budget=wrong)


def test_after_the_estimated_wait_a_class_can_nearly_be_paid_for():
    budget = Budget(0.05)
    for _ in range(UNTHINNED_STEPS + 1):
        budget.earn(1, 1e-3)
        budget.measured(PASSES, 5e-4)
    wait = budget.steps_until(Cost.DEAR)
    assert 4 <= wait < LONGEST_GAP
    for _ in range(wait // 2):
        budget.earn(1, 1e-3)
    assert budget.steps_until(Cost.DEAR) <= wait
    for _ in range(2 * wait):
        budget.earn(1, 1e-3)
    assert budget.affordable(Cost.DEAR)
