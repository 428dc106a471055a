from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.runs import Position, Row, RunWriter, open_run
from optiscope.runs.frames import scan_frames

SCHEMA = pa.schema([("row", pa.int64()), ("norm", pa.list_(pa.float32(), 3)), ("flag", pa.uint8())])


def batch(first: int, rows: int) -> pa.RecordBatch:
    numbers = np.arange(first, first + rows)
    lists = np.repeat(numbers, 3).astype(np.float32) + np.tile(np.array([0, 0.25, 0.5], np.float32), rows)
    arrays = [
        pa.array(numbers),
        pa.FixedSizeListArray.from_arrays(pa.array(lists), 3),
        pa.array(numbers.astype(np.uint8)),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def stream(sizes: list[int]) -> tuple[pa.Buffer, int]:
    """A stream of batches of these sizes, and the offset of the first."""
    header = SCHEMA.serialize().to_pybytes()
    firsts = np.cumsum([0, *sizes])
    bodies = [batch(int(first), size).serialize().to_pybytes() for first, size in zip(firsts, sizes, strict=False)]
    return pa.py_buffer(header + b"".join(bodies)), len(header)


@given(sizes=st.lists(st.one_of(st.integers(0, 5), st.sampled_from([400, 401])), max_size=12))
def test_columns_of_batches_of_any_sizes_are_what_arrow_reads(sizes):
    content, start = stream(sizes)
    frames = scan_frames(content, SCHEMA, start)
    assert frames.end == content.size
    table = pa.ipc.open_stream(pa.BufferReader(content)).read_all()
    data = np.frombuffer(content, dtype=np.uint8)
    for index, (dtype, width) in enumerate([("int64", 1), ("float32", 3), ("uint8", 1)]):
        expected = table.column(index)
        flat = expected.combine_chunks().flatten() if width > 1 else expected
        assert frames.column(data, index, dtype, width).tolist() == flat.to_pylist()


def test_batches_of_equal_length_are_decoded_once(monkeypatch):
    content, start = stream([3, 3, 3, 2, 3, 2])
    frames = scan_frames(content, SCHEMA, start)
    assert len(frames.known) == 2
    assert frames.kinds.tolist() == [0, 0, 0, 1, 0, 1]


@pytest.mark.parametrize("lost", [1, 8, 50])
def test_a_batch_that_is_not_whole_ends_the_frames(lost):
    content, start = stream([3, 3, 3])
    frames = scan_frames(content[: content.size - lost], SCHEMA, start)
    assert len(frames.offsets) == 2
    assert frames.end == start + (content.size - start) // 3 * 2


def test_batches_of_another_schema_end_the_frames():
    content, start = stream([3])
    other = pa.RecordBatch.from_pydict({"text": ["a", "b"]}).serialize().to_pybytes()
    frames = scan_frames(pa.py_buffer(content.to_pybytes() + other), SCHEMA, start)
    assert len(frames.offsets) == 1


def test_a_run_of_very_many_small_batches_is_read_as_fast_as_its_bytes_allow(tmp_path):
    labels = tuple(f"layer{index}" for index in range(20))
    names = [f"quantity{index}" for index in range(10)]
    with RunWriter.create(tmp_path / "run") as writer:
        rows = writer._scribe._rows
        for step in range(5000):
            values = {name: np.full(20, step, dtype=np.float32) for name in names}
            rows.add_row(
                Row(source="layers", position=Position(step, step), values=values, labels=dict.fromkeys(names, labels))
            )
            rows.write()
    run = open_run(tmp_path / "run")
    for name in names:
        series = run[name]
        assert series.values.shape == (5000, 20)
        np.testing.assert_array_equal(series.values[:, 7], np.arange(5000))
    assert not run.losses
