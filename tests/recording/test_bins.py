from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optiscope.recording import bins


def test_the_edges_are_half_octaves_from_a_trillionth_to_ten_million():
    edges = bins.edges()
    assert len(edges) == bins.BIN_COUNT + 1
    positive = edges[edges > 0]
    assert positive[0] == 2.0**-40
    assert positive[-1] == 2.0**24
    np.testing.assert_allclose(positive[1:] / positive[:-1], np.sqrt(2))
    np.testing.assert_array_equal(edges, -edges[::-1])


@given(hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(-1e7, 1e7)))
def test_counts_equal_a_search_for_the_edges(elements):
    counts, nonfinite = bins.count(elements)
    edges = bins.edges()
    expected = np.zeros(bins.BIN_COUNT, dtype=int)
    positive = edges[edges > 0]
    for element in elements:
        rank = np.searchsorted(positive, abs(element), side="right")
        rank = min(rank, bins.BINS_PER_SIGN)
        expected[bins.BINS_PER_SIGN + (rank if element > 0 else -rank)] += 1
    np.testing.assert_array_equal(counts, expected)
    assert nonfinite == 0


@given(hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(width=32)))
def test_every_element_is_counted_once(elements):
    counts, nonfinite = bins.count(elements)
    assert counts.sum() + nonfinite == elements.size
    assert nonfinite == np.count_nonzero(~np.isfinite(elements))


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(allow_nan=False)))
def test_negated_elements_fall_into_mirror_bins(elements):
    np.testing.assert_array_equal(bins.count(elements)[0], bins.count(-elements)[0][::-1])
