from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.dashboard import buckets as bucket_module
from optiscope.dashboard.buckets import COARSEST, FINEST, BucketTable, merge, nonfinite_of, summarise

VALUES = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))


def columns_of(values: list[float], first: int = 0) -> dict[str, np.ndarray]:
    row = np.arange(first, first + len(values), dtype=np.int64)
    return {
        "row": row,
        "step": row * 3,
        "seconds": row * 0.5,
        "offset": row // 10 * 100,
        "ordinal": row // 10 * 10,
        "value": np.array(values, dtype=np.float64),
    }


def assert_sums_up(bucket: np.void, values: np.ndarray, first: int) -> None:
    """`bucket` says of `values`, the rows from number `first` on, what a plain look at them says."""
    finite = np.flatnonzero(np.isfinite(values))
    assert bucket["rows"] == len(values)
    assert bucket["nans"] == np.isnan(values).sum()
    assert bucket["positive_infinities"] == np.isposinf(values).sum()
    assert bucket["negative_infinities"] == np.isneginf(values).sum()
    assert (bucket["step_low"], bucket["step_high"]) == (first * 3, (first + len(values) - 1) * 3)
    assert bucket["offset"] == first // 10 * 100
    assert bucket["ordinal"] == first // 10 * 10
    rows = {"first": 0, "last": len(values) - 1}
    if len(finite):
        rows |= {"low": finite[values[finite].argmin()], "high": finite[values[finite].argmax()]}
    if len(finite) < len(values):
        rows["broken"] = np.flatnonzero(~np.isfinite(values))[0]
    for corner, row in rows.items():
        point = bucket[corner]
        assert (point["row"], point["step"], point["seconds"]) == (first + row, 3 * (first + row), (first + row) / 2)
        np.testing.assert_array_equal(point["value"], values[row])
        assert np.isnan(point["epoch"])


@given(values=st.lists(VALUES, min_size=1, max_size=60), width=st.integers(1, 12))
def test_a_bucket_says_what_a_look_at_all_its_rows_says(values, width):
    values = values[: len(values) // width * width]
    columns = columns_of(values)
    for number, bucket in enumerate(summarise(columns, width)):
        assert_sums_up(bucket, columns["value"][number * width : (number + 1) * width], number * width)


@given(values=st.lists(VALUES, min_size=4, max_size=60), data=st.data())
def test_merged_buckets_say_what_one_bucket_of_all_rows_says(values, data):
    columns = columns_of(values)
    width = data.draw(st.integers(1, len(values) // 2), label="width")
    number = len(values) // width
    buckets = summarise({name: column[: number * width] for name, column in columns.items()}, width)
    starts = np.array([0, *sorted(data.draw(st.sets(st.integers(1, number - 1)), label="starts"))])
    ends = [*starts[1:], number]
    for bucket, start, end in zip(merge(buckets, starts), starts, ends, strict=True):
        assert_sums_up(bucket, columns["value"][start * width : end * width], start * width)


@given(pieces=st.lists(st.lists(VALUES, max_size=50), max_size=12))
def test_a_table_that_grew_in_pieces_is_that_of_all_rows_at_once(pieces):
    table, at = BucketTable(), 0
    for piece in pieces:
        table.extend(columns_of(piece, at))
        at += len(piece)
    values = np.array([value for piece in pieces for value in piece])
    assert table.rows == len(values)
    for number, bucket in enumerate(table.whole):
        first = number * table.width
        assert_sums_up(bucket, values[first : first + table.width], first)
    if table.pending_rows:
        np.testing.assert_array_equal(table.pending["value"], values[len(table.whole) * table.width :])


@pytest.mark.parametrize("piece", [1000, 7777, 10**6])
def test_buckets_grow_coarser_with_the_series_but_never_too_coarse(monkeypatch, piece):
    monkeypatch.setattr(bucket_module, "MOST_FINE", 64)
    values = np.random.default_rng(3).standard_normal(100_003)
    values[[5, 500, 99_999]] = np.nan
    table, widths = BucketTable(), set()
    for at in range(0, len(values), piece):
        table.extend(columns_of(values[at : at + piece], at))
        widths.add(table.width)
        assert table.width == COARSEST or len(table.whole) < 64
    assert table.width == COARSEST
    assert min(widths) >= FINEST
    assert len(table.whole) == len(values) // COARSEST
    assert table.rows == len(values)
    for number, bucket in enumerate(table.whole):
        assert_sums_up(bucket, values[number * COARSEST : (number + 1) * COARSEST], number * COARSEST)
    assert nonfinite_of(table.whole).sum() == 2 + (len(table.whole) * COARSEST > 99_999)


def test_the_last_row_of_merged_buckets_is_the_latest_also_when_files_interleave():
    early, late = summarise(columns_of([1.0, 2.0], 4), 2), summarise(columns_of([3.0, 4.0], 10), 2)
    merged = merge(np.concatenate([late, early, late, early]), np.array([0, 2]))
    assert merged["last"]["row"].tolist() == [11, 11]
