"""What is written is read back, bit for bit, whatever it is and however it is mixed."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optiscope.runs import Position, Row, RunWriter, open_run
from tests.runs.conftest import submit

CONFIGURATION = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])

NAN_WITH_PAYLOAD = struct.unpack("<d", struct.pack("<Q", 0x7FF8DEADBEEF0001))[0]
numbers = st.one_of(
    st.floats(width=64),
    st.sampled_from([NAN_WITH_PAYLOAD, -NAN_WITH_PAYLOAD, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308]),
)
names = st.sampled_from(["loss", "accuracy", "a", "b", "", "Ω/∇", "step"])
rows = st.lists(
    st.tuples(
        st.dictionaries(names, numbers, min_size=1, max_size=4),
        st.one_of(st.none(), st.floats(0, 100)),
        st.one_of(st.none(), st.integers(0, 10**12)),
        st.booleans(),
    ),
    max_size=40,
)


def bits(values) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


@CONFIGURATION
@given(rows=rows, resumed=st.booleans())
def test_metrics_in_any_mixture_come_back_bit_for_bit_in_order(tmp_path_factory, rows, resumed):
    path = tmp_path_factory.mktemp("round") / "run"
    writer = RunWriter.create(path)
    expected: dict[str, list[tuple[int, float, float | None, float | None]]] = {}
    for index, (values, epoch, samples, is_flushed) in enumerate(rows):
        writer.log(Position(index // 2, index // 3 * 0.5, epoch, samples), values)
        for name, value in values.items():
            expected.setdefault(name, []).append((index // 2, value, epoch, samples))
        if is_flushed:
            writer.flush()
        if resumed and index == len(rows) // 2:
            writer.close()
            writer = RunWriter.create(path, resume=True)
    writer.close()
    run = open_run(path)
    assert set(run.names) == set(expected)
    for name, logged in expected.items():
        series = run[name]
        assert series.steps.tolist() == [step for step, *_ in logged]
        assert bits(series.values) == bits(value for _, value, *_ in logged)
        for column, stored in ((2, series.epochs), (3, series.samples)):
            wanted = [entry[column] for entry in logged]
            if stored is None:
                assert wanted == [None] * len(wanted)
            else:
                assert [None if math.isnan(value) else value for value in stored] == wanted


@CONFIGURATION
@given(
    data=st.data(),
    dtype=st.sampled_from(["float32", "float64"]),
    label_sets=st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), min_size=1, max_size=4),
)
def test_arrays_come_back_bit_for_bit_under_their_labels(tmp_path_factory, data, dtype, label_sets):
    path = tmp_path_factory.mktemp("round") / "run"
    written: list[tuple[list[str], np.ndarray]] = []
    with RunWriter.create(path) as writer:
        for step in range(data.draw(st.integers(1, 12))):
            labels = data.draw(st.sampled_from(label_sets))
            drawn = data.draw(st.lists(st.floats(width=32), min_size=len(labels), max_size=len(labels)))
            values = np.array(drawn, dtype=dtype)
            written.append((labels, values))
            row = Row(
                source="layers",
                position=Position(step, float(step)),
                values={"norm": values},
                labels={"norm": tuple(labels)},
            )
            submit(writer, row)
    series = open_run(path)["norm"]
    assert set(series.labels) == {label for labels, _ in written for label in labels}
    assert series.values.dtype == dtype
    for row, (labels, values) in zip(series.values, written, strict=True):
        assert row[[series.labels.index(label) for label in labels]].tobytes() == values.tobytes()
        absent = [index for index, label in enumerate(series.labels) if label not in labels]
        assert np.isnan(row[absent]).all()
