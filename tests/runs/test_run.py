from __future__ import annotations

import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from optiscope.errors import NewerFormat, RunDamaged, RunNotFound, UnknownName
from optiscope.recording.bins import edges
from optiscope.runs import FORMAT_VERSION, Position, Row, RunWriter, open_run
from tests.runs.conftest import layer_row


def histogram_row(step: int, counts: dict[str, list[int]], nonfinite: dict[str, int], bins=None) -> Row:
    labels = tuple(counts)
    return Row(
        source="histograms",
        position=Position(step, step * 0.1),
        values={
            "weights": np.array(list(counts.values()), dtype=np.int64),
            "weights/nonfinite": np.array(list(nonfinite.values()), dtype=np.int64),
        },
        labels={"weights": labels, "weights/nonfinite": labels},
        edges=bins,
    )


def test_a_finished_run_tells_everything_about_itself(finished_run):
    run = open_run(finished_run)
    assert run.name == "adam"
    assert run.status == "finished"
    assert run.config == {"lr": 1e-3}
    assert run.tags == ("first",)
    assert run.note == "a note"
    assert run.seed == 7
    assert run.steps == 19
    assert run.seconds == pytest.approx(1.9)
    assert abs((run.started - datetime.now(UTC)).total_seconds()) < 60
    assert run.names == ("loss", "accuracy", "norm", "norm/global")
    assert list(run) == list(run.names)
    assert len(run) == 4
    assert "loss" in run
    assert "lose" not in run
    assert run.snapshots.steps == (10,)
    assert [event.kind for event in run.events] == ["start", "note", "stop"]
    assert not run.losses
    assert run.losses.sentences() == ()
    assert repr(run) == "<Run 'adam': finished, 19 steps, 4 series>"


def test_series_of_different_cadence_keep_their_own_rows(finished_run):
    run = open_run(finished_run)
    assert run["loss"].steps.tolist() == list(range(20))
    assert run["accuracy"].steps.tolist() == [0, 5, 10, 15]
    assert run["accuracy"].values.tolist() == [0.0, 0.25, 0.5, 0.75]
    assert run["loss"].epochs is None
    assert run["norm"].column("fc").values.tolist() == [step + 0.5 for step in range(20)]
    assert run["loss"].run_name == "adam"


def test_a_wrong_name_is_answered_with_the_nearest(finished_run):
    run = open_run(finished_run)
    with pytest.raises(UnknownName, match="Did you mean 'loss'"):
        run["losss"]
    with pytest.raises(UnknownName, match="kind of histogram"):
        run.histograms("weights")
    with pytest.raises(UnknownName, match="step with a snapshot"):
        run.snapshots.load(11)


def test_a_column_in_one_piece_is_not_copied(finished_run):
    series = open_run(finished_run)["norm"]
    assert not series.values.flags.owndata
    assert not series.values.flags.writeable


def test_arrow_reads_a_segment_without_us(finished_run):
    table = pa.ipc.open_stream(finished_run / "series" / "layers-0.arrows").read_all()
    assert table.column_names == ["row", "step", "seconds", "norm", "norm/global"]
    assert table.column("norm").to_pylist()[1] == [1.0, 1.5]
    assert json.loads(table.schema.field("norm").metadata[b"optiscope.labels"]) == ["conv", "fc"]
    assert table.schema.metadata[b"optiscope.format"] == str(FORMAT_VERSION).encode()


def test_epochs_and_samples_are_nan_in_rows_that_had_none(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.log(Position(1, 0.1, epoch=0.5), {"loss": 2.0})
    writer.log(Position(2, 0.2, epoch=1.0, samples=64), {"loss": 3.0})
    writer.flush()
    series = open_run(run_path)["loss"]
    np.testing.assert_array_equal(series.epochs, [math.nan, 0.5, 1.0])
    np.testing.assert_array_equal(series.samples, [math.nan, math.nan, 64.0])
    assert series.values.tolist() == [1.0, 2.0, 3.0]


def test_layers_that_appear_later_are_united_with_nan_before(writer, run_path):
    writer.submit(lambda: [layer_row(0, [1.0, 2.0], ("conv", "fc"))])
    writer.submit(lambda: [layer_row(1, [3.0, 4.0, 5.0], ("conv", "head", "fc"))])
    writer.submit(lambda: [layer_row(2, [6.0, 7.0], ("conv", "fc"))])
    writer.flush()
    series = open_run(run_path)["norm"]
    assert series.labels == ("conv", "fc", "head")
    np.testing.assert_array_equal(series.values, [[1.0, 2.0, math.nan], [3.0, 5.0, 4.0], [6.0, 7.0, math.nan]])
    assert series.steps.tolist() == [0, 1, 2]


def test_rows_come_in_the_order_of_their_seconds_also_when_the_recorder_hands_them_over_otherwise(writer, run_path):
    writer.submit(lambda: [layer_row(step, [float(step)], ("conv",)) for step in (0, 1, 3, 2, 4)])
    writer.flush()
    assert open_run(run_path)["norm"].steps.tolist() == [0, 1, 2, 3, 4]


def test_a_metric_with_the_name_of_a_measured_quantity_does_not_hide_it(writer, run_path):
    writer.log(Position(0, 0.0), {"norm": 42.0})
    writer.submit(lambda: [layer_row(0, [1.0, 2.0], ("conv", "fc"))])
    writer.flush()
    run = open_run(run_path)
    assert run["norm"].values.tolist() == [42.0]
    assert run["layers/norm"].labels == ("conv", "fc")


def test_many_sets_of_metrics_overflow_into_one_long_segment(writer, run_path):
    for step in range(100):
        writer.log(Position(step, step * 0.1), {f"metric{step % 50}": float(step), "always": -float(step)})
    writer.flush()
    run = open_run(run_path)
    assert len(list((run_path / "series").iterdir())) == 33
    assert run["always"].values.tolist() == [-float(step) for step in range(100)]
    for index in range(50):
        assert run[f"metric{index}"].values.tolist() == [float(index), float(index + 50)]
        assert run[f"metric{index}"].steps.tolist() == [index, index + 50]


def test_histograms_come_back_with_their_edges_and_nonfinite_counts(writer, run_path):
    writer.submit(
        lambda: [histogram_row(1, {"conv": [1, 2, 3], "fc": [4, 5, 6]}, {"conv": 0, "fc": 7}, [-1, -0.5, 0.5, 1])]
    )
    writer.flush()
    run = open_run(run_path)
    assert run.histogram_names == ("weights",)
    assert run.names == ()
    series = run.histograms("weights")
    assert series.labels == ("conv", "fc")
    assert series.counts.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert series.nonfinite.tolist() == [[0, 7]]
    assert series.edges.tolist() == [-1, -0.5, 0.5, 1]


def test_histograms_of_layers_that_appear_later_are_united_with_zero_before(writer, run_path):
    bins = [-1, 0, 1]
    writer.submit(lambda: [histogram_row(1, {"conv": [1, 2]}, {"conv": 3}, bins)])
    writer.submit(lambda: [histogram_row(2, {"conv": [4, 5], "fc": [6, 7]}, {"conv": 8, "fc": 9}, bins)])
    writer.flush()
    series = open_run(run_path).histograms("weights")
    assert series.counts.tolist() == [[[1, 2], [0, 0]], [[4, 5], [6, 7]]]
    assert series.nonfinite.tolist() == [[3, 0], [8, 9]]


def test_histograms_without_edges_have_the_fixed_ones_of_the_recorder(writer, run_path):
    writer.submit(lambda: [histogram_row(1, {"conv": [1] * (len(edges()) - 1)}, {"conv": 0})])
    writer.flush()
    np.testing.assert_array_equal(open_run(run_path).histograms("weights").edges, edges())


def test_an_open_run_does_not_change_and_refresh_sees_what_came(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.flush()
    run = open_run(run_path)
    writer.log(Position(1, 0.1), {"loss": 2.0})
    writer.log(Position(1, 0.1), {"accuracy": 2.0})
    writer.event("note", "new", step=1)
    writer.flush()
    assert run["loss"].values.tolist() == [1.0]
    assert run.names == ("loss",)
    assert [event.kind for event in run.events] == ["start"]
    later = run.refresh()
    assert later["loss"].values.tolist() == [1.0, 2.0]
    assert later.names == ("loss", "accuracy")
    assert [event.kind for event in later.events] == ["start", "note"]


def test_several_optimizers_are_all_there(run_path):
    with RunWriter.create(run_path, optimizer=[{"name": "Adam"}, {"name": "SGD"}]):
        pass
    run = open_run(run_path)
    assert run.optimizer == {"name": "Adam"}
    assert [each["name"] for each in run.optimizers] == ["Adam", "SGD"]


# ------------------------------------------------------------------------------------------------------------- faults


def test_a_path_without_a_run_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    for name, said in {
        "absent": "no such folder",
        "file": "is a file",
        "empty": "no run.json",
        "other": "no run.json",
    }.items():
        with pytest.raises(RunNotFound, match=said) as caught:
            open_run(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_missing_run_json_is_a_partial_read_that_says_so(finished_run):
    (finished_run / "run.json").unlink()
    run = open_run(finished_run)
    assert len(run["loss"]) == 20
    assert run.config == {}
    assert run.status == "crashed"
    assert run.steps == 19
    assert "Run.json is missing: config, model and status are unknown." in run.losses.sentences()


FACTS = (
    "name", "status", "config", "tags", "note", "environment", "model", "optimizer", "optimizers", "overhead", "seed",
    "last", "started", "seconds", "steps", "names", "events",
)  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"{}", b'{"format_version": "1"}', b"null", b"[" * 10**5]
)
def test_a_damaged_run_json_is_a_partial_read_that_says_so(finished_run, content):
    (finished_run / "run.json").write_bytes(content)
    run = open_run(finished_run)
    assert len(run["loss"]) == 20
    assert "run.json" in " ".join(run.losses.sentences())


def test_a_run_of_which_nothing_is_readable_is_damaged(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(RunDamaged, match="Nothing of the run"):
        open_run(tmp_path / "run")


def test_a_newer_format_is_named_with_both_versions(finished_run):
    content = json.loads((finished_run / "run.json").read_text())
    (finished_run / "run.json").write_text(json.dumps({**content, "format_version": FORMAT_VERSION + 6}))
    with pytest.raises(NewerFormat, match=rf"format {FORMAT_VERSION + 6};.*up to format {FORMAT_VERSION}\."):
        open_run(finished_run)


def test_strange_fields_in_run_json_do_no_harm(finished_run):
    content = json.loads((finished_run / "run.json").read_text())
    for field in content:
        if field == "format_version":
            continue
        for strange in (None, [], {}, "x", -1, 1e999, [1, 2], {"a": None}):
            (finished_run / "run.json").write_text(json.dumps({**content, field: strange}))
            run = open_run(finished_run)
            for fact in FACTS:
                getattr(run, fact)
            assert isinstance(run.losses.sentences(), tuple)


def torn(run_path: Path, name: str, change) -> Path:
    path = run_path / "series" / name
    path.write_bytes(change(path.read_bytes()))
    return path


def test_garbage_behind_the_last_batch_is_counted_and_the_rest_is_read(finished_run):
    torn(finished_run, "layers-0.arrows", lambda content: content[:-8] + b"garbage" * 100)
    run = open_run(finished_run)
    assert len(run["norm"]) == 20
    assert run.losses.torn_segments == ("series/layers-0.arrows",)
    assert run.losses.bytes_lost == 700
    assert "700 bytes could not be read." in run.losses.sentences()


def test_garbage_instead_of_a_segment_is_named_and_the_rest_is_read(finished_run):
    torn(finished_run, "layers-0.arrows", lambda content: b"\x00garbage" * 50)
    (finished_run / "series" / "empty-0.arrows").touch()
    table = pa.table({"a": [1, 2]})
    with pa.ipc.new_stream(finished_run / "series" / "foreign-0.arrows", table.schema) as stream:
        stream.write_table(table)
    run = open_run(finished_run)
    assert run.names == ("loss", "accuracy")
    unreadable = " ".join(run.losses.unreadable)
    assert "series/layers-0.arrows cannot be read: it does not begin like a segment" in unreadable
    assert "series/empty-0.arrows cannot be read: it is empty" in unreadable
    assert "series/foreign-0.arrows cannot be read: its schema has no 'optiscope.format'" in unreadable


def test_a_segment_of_a_newer_format_is_named(finished_run):
    torn(
        finished_run,
        "layers-0.arrows",
        lambda content: content.replace(b"\x01\x00\x00\x001\x00", b"\x01\x00\x00\x009\x00"),
    )
    run = open_run(finished_run)
    assert "format version 9" in " ".join(run.losses.unreadable)


def test_a_damaged_event_file_costs_only_its_damaged_lines(finished_run):
    path = finished_run / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\xff\xfe{garbage\n" + lines[1] + b'{"kind": "half')
    run = open_run(finished_run)
    assert [event.kind for event in run.events] == ["start", "note"]
    assert run.losses.torn_segments == ("events.jsonl",)
    assert run.losses.bytes_lost == len(b'{"kind": "half')
    assert "Events.jsonl has 1 lines that hold no event." in run.losses.sentences()


def test_a_damaged_snapshot_is_named_when_loaded_and_among_the_losses(finished_run):
    path = finished_run / "snapshots" / "10.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    run = open_run(finished_run)
    with pytest.raises(RunDamaged, match=r"10\.safetensors"):
        run.snapshots.load(10)
    assert "10.safetensors" in " ".join(run.losses.sentences())


def test_a_run_that_was_moved_reads_under_its_new_name(finished_run, tmp_path):
    shutil.move(finished_run, tmp_path / "moved")
    run = open_run(tmp_path / "moved")
    assert run.name == "moved"
    assert len(run["loss"]) == 20
