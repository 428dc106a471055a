from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.analysis.smoothing import smooth
from optiscope.errors import ArgumentError

numbers = st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")) | st.just(float("inf")), max_size=60)
factors = st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.999])


def by_definition(values, factor, centred):
    finite = np.isfinite(values)
    result = np.full(len(values), np.nan)
    for t in np.flatnonzero(finite):
        rows = [i for i in np.flatnonzero(finite) if centred or i <= t]
        weights = np.array([factor ** abs(t - i) if t != i else 1.0 for i in rows])
        result[t] = (weights * values[rows]).sum() / weights.sum()
    return result


@given(numbers, factors, st.booleans())
def test_smoothing_is_the_weighted_mean_of_its_formula(sample, factor, centred):
    values = np.array(sample, dtype=np.float64)
    np.testing.assert_allclose(
        smooth(values, factor, centred=centred), by_definition(values, factor, centred), rtol=1e-7, atol=1e-7
    )


def test_a_constant_stays_constant_from_the_first_value_on():
    np.testing.assert_allclose(smooth(np.full(5000, 7.0), 0.99), 7.0, rtol=1e-12)


def test_blocks_join_without_a_seam():
    values = np.random.default_rng(0).normal(size=5000)
    expected = np.empty(5000)
    total = weight = 0.0
    for row, value in enumerate(values):
        total, weight = 0.8 * total + value, 0.8 * weight + 1
        expected[row] = total / weight
    np.testing.assert_allclose(smooth(values, 0.8), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factor", [1.0, -0.1])
def test_a_factor_that_cannot_average_is_refused(factor):
    with pytest.raises(ArgumentError, match="smoothing factor"):
        smooth([1.0, 2.0], factor)
