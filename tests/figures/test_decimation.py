from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optiscope.figures.decimation import decimate

numbers = st.lists(
    st.floats(-1e9, 1e9) | st.sampled_from([float("nan"), float("inf"), float("-inf")]), min_size=1, max_size=400
)


@given(numbers, st.integers(5, 60))
def test_no_extreme_no_end_and_no_broken_value_is_lost(sample, limit):
    values = np.array(sample)
    kept = decimate(values, limit)
    assert kept.rows[0] == 0
    assert kept.rows[-1] == len(values) - 1
    assert (np.diff(kept.rows) > 0).all()
    finite, drawn = values[np.isfinite(values)], values[kept.rows]
    drawn = drawn[np.isfinite(drawn)]
    if len(finite):
        assert drawn.min() == finite.min()
        assert drawn.max() == finite.max()
    assert kept.counts.sum() == (~np.isfinite(values)).sum()
    assert not np.isfinite(values[kept.marks]).any()
    assert set(kept.marks) <= set(kept.rows)


@given(st.integers(0, 9999), st.integers(5000, 20_000))
def test_a_single_spike_survives_wherever_it_is(place, length):
    values = np.random.default_rng(0).normal(size=length)
    values[place % length] = 1e6
    kept = decimate(values)
    assert len(kept.rows) <= 4000
    assert place % length in kept.rows


def test_a_gap_stays_a_gap():
    values = np.ones(100_000)
    values[50_000:50_010] = np.nan
    kept = decimate(values)
    assert np.isnan(values[kept.rows]).any()
    assert kept.counts.sum() == 10
    assert kept.thinned


def test_a_short_series_is_left_alone():
    kept = decimate(np.arange(4000.0))
    assert len(kept.rows) == 4000
    assert not kept.thinned


def test_ten_million_values_are_thinned_in_a_moment():
    values = np.random.default_rng(0).normal(size=10_000_000)
    values[1234] = np.nan
    # The best of several runs: a busy machine may interrupt any one of them.
    best = min(_seconds(values) for _ in range(5))
    assert best < 0.25


def _seconds(values):
    begun = time.perf_counter()
    kept = decimate(values)
    assert len(kept.rows) <= 4001
    return time.perf_counter() - begun
