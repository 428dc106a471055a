from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from optiscope.runs import Position, RunWriter, open_run
from optiscope.runs.schema import Column, Layout, segment_name, segment_number
from tests.runs.conftest import layer_row

LAYOUT = Layout(
    source="layers",
    timelines=("row", "step", "seconds", "samples"),
    columns=(
        Column(name="norm", dtype="float32", labels=("a", "b")),
        Column(name="norm/global"),
        Column(name="weights", dtype="uint32", labels=("a",), bins=3, edges=(-1.0, -0.5, 0.5, 1.0)),
    ),
)


def test_a_layout_survives_its_schema():
    assert Layout.from_schema(LAYOUT.to_schema()) == LAYOUT
    restored = pa.ipc.read_schema(LAYOUT.to_schema().serialize())
    assert Layout.from_schema(restored) == LAYOUT


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda schema: schema.remove_metadata(), "not written by Optiscope"),
        (lambda schema: schema.remove(0), "not the timeline 'row'"),
        (lambda schema: schema.set(4, pa.field("norm", pa.list_(pa.float32(), 2))), "has no labels"),
        (lambda schema: schema.append(pa.field("x", pa.string())), "not numbers"),
        (
            lambda schema: schema.set(
                4, pa.field("norm", pa.list_(pa.float32(), 3), metadata=schema.field(4).metadata)
            ),
            "3 elements for 2 labels",
        ),
    ],
)
def test_a_schema_that_is_none_of_ours_is_refused_with_the_reason(change, said):
    with pytest.raises(ValueError, match=said):
        Layout.from_schema(change(LAYOUT.to_schema()))


def test_segment_names_hold_nothing_that_a_file_system_refuses():
    assert segment_name("layers", 3) == "layers-3.arrows"
    assert segment_name("a/b c:∇", 0) == "a_b_c_-0.arrows"
    assert segment_number("layers-12.arrows") == 12
    assert segment_number("odd.arrows") == 0


def test_a_segment_that_grows_large_is_followed_by_another(run_path):
    writer = RunWriter.create(run_path)
    writer._scribe._segments._largest = 20_000
    for step in range(3000):
        writer.log(Position(step, step * 0.1), {"loss": float(step)})
        if step % 100 == 0:
            writer.flush()
    writer.close()
    files = sorted((run_path / "series").iterdir(), key=lambda path: segment_number(path.name))
    assert len(files) > 3
    assert [segment_number(path.name) for path in files] == list(range(len(files)))
    run = open_run(run_path)
    assert run["loss"].values.tolist() == list(range(3000))
    assert not run.losses


def test_a_closed_segment_ends_with_the_mark_that_arrow_expects(finished_run):
    for path in (finished_run / "series").iterdir():
        assert path.read_bytes().endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00")


def test_rows_of_one_shape_share_a_segment_and_others_get_their_own(writer, run_path):
    writer.submit(lambda: [layer_row(step, [1.0, 2.0], ("conv", "fc")) for step in range(5)])
    writer.submit(lambda: [layer_row(5, [1.0, 2.0], ("conv", "head"))])
    writer.submit(lambda: [layer_row(6, [1.0, 2.0], ("conv", "fc"), dtype="float64")])
    writer.submit(lambda: [layer_row(7, [1.0, 2.0], ("conv", "fc"))])
    writer.flush()
    assert sorted(path.name for path in (run_path / "series").iterdir()) == [
        f"layers-{index}.arrows" for index in range(3)
    ]
    series = open_run(run_path)["norm"]
    assert series.steps.tolist() == list(range(8))
    assert series.values.dtype == np.float64


def test_hundred_metrics_take_at_most_nine_bytes_a_point(run_path):
    names = [f"metric {index}" for index in range(100)]
    with RunWriter.create(run_path) as writer:
        for step in range(3000):
            writer.log(Position(step, step * 0.1), dict.fromkeys(names, float(step)))
    stored = sum(path.stat().st_size for path in run_path.rglob("*") if path.is_file())
    assert stored / (3000 * 100) <= 9.0
