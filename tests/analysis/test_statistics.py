from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from optiscope.analysis.statistics import holm, mean_band, mean_interval, student_quantile, welch
from optiscope.errors import ArgumentError

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)


def test_student_quantiles_agree_with_their_closed_forms_for_one_and_two_degrees():
    probability = 0.975
    one = math.tan(math.pi * (probability - 0.5))
    two = (2 * probability - 1) * math.sqrt(2 / (1 - (2 * probability - 1) ** 2))
    assert student_quantile(probability, [1, 2]) == pytest.approx([one, two])


@given(values)
def test_the_interval_is_that_of_scipy(sample):
    interval = mean_interval(sample)
    error = stats.sem(sample)
    if error > 1e-9:
        low, high = stats.t.interval(0.95, len(sample) - 1, loc=np.mean(sample), scale=error)
        assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
    assert interval.low - 1e-6 <= interval.mean <= interval.high + 1e-6


@given(values, values)
def test_welchs_test_is_that_of_scipy(first, second):
    if np.std(first) < 1e-3 or np.std(second) < 1e-3:
        return
    ours = welch(first, second)
    theirs = stats.ttest_ind(second, first, equal_var=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert ours.degrees == pytest.approx(theirs.df)
    interval = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)


def test_one_value_has_a_mean_and_no_interval():
    interval = mean_interval([3.0])
    assert interval.mean == 3.0
    assert math.isnan(interval.low)
    assert str(interval) == "3 (n = 1)"


def test_values_that_are_not_finite_are_counted_and_left_out():
    interval = mean_interval([1.0, math.nan, 3.0, math.inf])
    assert (interval.mean, interval.count, interval.nonfinite) == (2.0, 2, 2)


def test_a_band_of_columns_without_any_value_is_nan_and_warns_nobody():
    band = mean_band(np.array([[np.nan, 1e308], [np.inf, 1e308]]))
    assert math.isnan(band.mean[0])
    assert band.count.tolist() == [0, 2]


def test_samples_without_spread_are_equal_or_differ_for_certain():
    assert welch([2.0, 2.0], [2.0, 2.0]).p_value == 1.0
    assert welch([2.0, 2.0], [3.0, 3.0]).p_value == 0.0


def test_one_run_a_side_gives_a_difference_without_a_judgement():
    result = welch([1.0], [4.0])
    assert result.difference == 3.0
    assert math.isnan(result.p_value)


def test_holm_agrees_with_an_example_by_hand_and_ignores_nan():
    assert holm([0.01, math.nan, 0.04, 0.03]) == pytest.approx((0.03, math.nan, 0.06, 0.06), nan_ok=True)


def test_a_confidence_outside_zero_and_one_is_refused():
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], confidence=95)


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        ([0.5, 0.51, 0.49], "0.500 ± 0.025 (n = 3)"),
        ([1e-9, 2e-9], "1.5e-09 ± 6.4e-09 (n = 2)"),
        ([], "no finite value"),
    ],
)
def test_a_mean_is_written_with_the_digits_that_its_uncertainty_leaves(sample, written):
    assert str(mean_interval(sample)) == written
