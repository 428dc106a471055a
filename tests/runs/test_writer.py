from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
import warnings

import numpy as np
import pytest

from optiscope.errors import ArgumentError, RecordingError, RecordingWarning, RunExists, RunInUse
from optiscope.runs import Block, Position, Row, RunWriter, open_run, status_after
from tests.runs.conftest import layer_row


def log(writer: RunWriter, first: int, last: int) -> None:
    for step in range(first, last):
        writer.log(Position(step, step * 0.1), {"loss": float(step)})


def wait_and_return_nothing(release: threading.Event) -> list[Row]:
    """A job that keeps the writer's thread busy."""
    release.wait(30)
    return []


class Pending:
    def __init__(self, value: float) -> None:
        self.value = value
        self.thread: threading.Thread | None = None

    def resolve(self) -> float:
        self.thread = threading.current_thread()
        return self.value


def test_what_is_flushed_is_in_the_file_while_the_run_goes_on(writer, run_path):
    writer.log(Position(1, 0.5), {"loss": 2.5})
    assert writer.flush()
    run = open_run(run_path)
    assert run.status == "running"
    assert run["loss"].values.tolist() == [2.5]
    assert run["loss"].steps.tolist() == [1]
    assert run["loss"].seconds.tolist() == [0.5]


def test_a_row_is_in_the_file_within_a_second_without_a_flush(writer, run_path):
    began = time.monotonic()
    writer.log(Position(1, 0.5), {"loss": 2.5})
    while "loss" not in open_run(run_path):
        assert time.monotonic() - began < 5.0
        time.sleep(0.02)
    assert time.monotonic() - began < 1.5  # a second, and half of one for a busy machine


def test_every_kind_of_number_is_recorded(writer, run_path):
    pending = Pending(7.0)
    numbers = {
        "float": 1.5, "int": 2, "bool": True, "float32": np.float32(3.5), "float16": np.float16(0.5),
        "int64": np.int64(4), "zero-dimensional": np.array(5.0), "pending": pending, "nan": math.nan, "inf": -math.inf,
        "large": 10**30,
    }  # fmt: skip
    writer.log(Position(0, 0.0), numbers)
    writer.flush()
    run = open_run(run_path)
    stored = {name: run[name].values[0] for name in numbers}
    assert math.isnan(stored.pop("nan"))
    assert stored == {
        "float": 1.5, "int": 2.0, "bool": 1.0, "float32": 3.5, "float16": 0.5, "int64": 4.0, "zero-dimensional": 5.0,
        "pending": 7.0, "inf": -math.inf, "large": 1e30,
    }  # fmt: skip
    assert pending.thread is not threading.current_thread()
    assert writer.faults == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("high", "'high' of type str"),
        (None, "None"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros(1), r"shape \(1,\)"),
        (1 + 2j, "complex"),
        (10**400, "OverflowError"),
        ([1.0], "list"),
    ],
)
def test_what_is_no_number_is_left_out_and_warned_of_once_and_counted(writer, run_path, value, said):
    for step in range(3):
        writer.log(Position(step, step * 0.1), {"loss": 1.0, "odd": value})
    with pytest.warns(RecordingWarning, match="'odd' is not recorded") as caught:
        assert writer.flush()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert re.search(said, str(caught[0].message))
    assert writer.faults == 3
    run = open_run(run_path)
    assert run.names == ("loss",)
    assert len(run["loss"]) == 3
    writer.log(Position(4, 0.4), {"odd": value})
    assert writer.flush()  # and no second warning, which would be an error here


def test_names_that_cannot_be_stored_are_left_out(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0, "\udcff": 2.0, 3: 4.0})
    with pytest.warns(RecordingWarning) as caught:
        writer.flush()
    assert len(caught) == 2
    assert open_run(run_path).names == ("loss",)


def test_metrics_may_have_any_text_as_a_name_even_that_of_a_timeline(writer, run_path):
    names = ["step", "seconds", "row", "epoch", "", "a/b", "Verlust ∇", "x" * 300, "value", "name"]
    writer.log(Position(3, 0.0, epoch=0.5), {name: float(index) for index, name in enumerate(names)})
    writer.flush()
    run = open_run(run_path)
    assert run.names == tuple(names)
    assert [run[name].values[0] for name in names] == list(range(len(names)))
    assert run["step"].steps.tolist() == [3]
    np.testing.assert_array_equal(run["epoch"].epochs, [0.5])


def test_something_else_than_a_mapping_is_a_fault_and_no_crash(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.log(Position(0, 0.0), ["loss"])
    writer.log(None, {"loss": 1.0})
    writer.log(Position("x", 0.0), {"loss": 2.0})  # type: ignore[arg-type]
    writer.log(Position(1, 0.0), {"loss": 3.0})
    with pytest.warns(RecordingWarning):
        writer.flush()
    assert open_run(run_path)["loss"].values.tolist() == [1.0, 3.0]
    assert writer.rows_dropped == 3


def test_rows_of_arrays_keep_their_type_and_labels(writer, run_path):
    writer.submit(lambda: [layer_row(1, [1.0, math.nan], ("conv", "fc"))])
    writer.submit(lambda: [layer_row(2, [3.0, math.inf], ("conv", "fc"))])
    writer.flush()
    series = open_run(run_path)["norm"]
    assert series.labels == ("conv", "fc")
    assert series.values.dtype == np.float32
    np.testing.assert_array_equal(series.values, np.array([[1.0, math.nan], [3.0, math.inf]], dtype=np.float32))


def test_a_job_that_fails_is_a_fault_and_its_earlier_rows_are_kept(writer, run_path):
    def job():
        yield layer_row(1, [1.0], ("conv",))
        raise RuntimeError("the device is gone")

    writer.submit(job)
    with pytest.warns(RecordingWarning, match="the device is gone"):
        writer.flush()
    assert len(open_run(run_path)["norm"]) == 1
    assert writer.faults == 1


def test_strict_raises_at_the_next_call(run_path):
    writer = RunWriter.create(run_path, strict=True)
    writer.log(Position(0, 0.0), {"loss": "x"})
    with pytest.raises(RecordingError, match="'loss' is not recorded"):
        writer.flush()
    writer.close()


def test_snapshots_events_and_descriptions_come_back(writer, run_path):
    writer.snapshot(3, lambda: {"w": np.arange(4.0)}, {"w": "bfloat16"})
    writer.event("note", "hello", step=3, lr=np.float32(0.5), bad=math.nan)
    writer.describe(overhead={"fraction": 0.01}, model={"name": "LeNet"})
    writer.flush()
    run = open_run(run_path)
    assert run.snapshots.load(3)["w"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert run.snapshots.header(3).dtypes == {"w": "bfloat16"}
    assert run.events[-1].message == "hello"
    assert run.events[-1].details == {"lr": 0.5, "bad": "NaN"}
    assert run.overhead == {"fraction": 0.01}
    assert run.model == {"name": "LeNet"}
    assert run.config == {"lr": 1e-3}


def test_fields_that_the_writer_keeps_cannot_be_described(writer):
    with pytest.raises(ArgumentError, match="status"):
        writer.describe(status="finished")


def test_progress_appears_in_run_json_while_the_run_goes_on(writer, run_path):
    writer.log(Position(12, 3.5), {"loss": 0.5, "bad": math.nan})
    writer.flush()
    run = open_run(run_path)
    assert run._content["steps"] == 12
    assert run._content["seconds"] == 3.5
    assert run.last["loss"] == 0.5
    assert math.isnan(run.last["bad"])


def test_close_is_final_and_a_second_one_does_nothing(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.close("failed")
    writer.close("finished")
    run = open_run(run_path)
    assert run.status == "failed"
    assert [event.kind for event in run.events] == ["start", "stop"]
    with pytest.warns(RecordingWarning, match="closed") as caught:
        log(writer, 0, 5)
    assert len(caught) == 1
    assert writer.rows_dropped == 5
    assert not writer.flush()


def test_a_status_that_is_none_is_refused(writer):
    with pytest.raises(ArgumentError, match="'done'"):
        writer.close("done")


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError("x"), "failed"), (KeyboardInterrupt(), "terminated"), (None, "finished")]
)
def test_as_a_context_the_writer_closes_with_the_status_of_what_ended_it(run_path, error, status):
    def train():
        with RunWriter.create(run_path) as writer:
            writer.log(Position(0, 0.0), {"loss": 1.0})
            if error is not None:
                raise error

    if error is None:
        train()
    else:
        with pytest.raises(type(error)):
            train()
    run = open_run(run_path)
    assert run.status == status
    assert ("exception" in [event.kind for event in run.events]) == (error is not None)


def test_an_old_run_is_not_touched_without_being_asked(finished_run):
    before = {path: path.read_bytes() for path in finished_run.rglob("*") if path.is_file() and path.stat().st_size}
    with pytest.raises(RunExists, match=r"resume=True.*overwrite=True"):
        RunWriter.create(finished_run)
    assert {path: path.read_bytes() for path in before} == before


def test_overwrite_deletes_the_old_run_and_leaves_foreign_files_alone(finished_run):
    (finished_run / "mine.txt").write_text("precious")
    (finished_run / "series" / "mine.csv").write_text("precious")
    with RunWriter.create(finished_run, overwrite=True) as writer:
        writer.log(Position(0, 0.0), {"other": 1.0})
    run = open_run(finished_run)
    assert run.names == ("other",)
    assert run.snapshots.steps == ()
    assert run.tags == ()
    assert [event.kind for event in run.events] == ["start", "stop"]
    assert (finished_run / "mine.txt").read_text() == (finished_run / "series" / "mine.csv").read_text() == "precious"


def test_a_folder_that_is_no_run_is_left_alone_whatever_is_asked(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    for resume, overwrite in ((False, False), (True, False), (False, True)):
        with pytest.raises(RunExists, match="holds no run"):
            RunWriter.create(tmp_path, resume=resume, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "run").write_text("x")
    with pytest.raises(ArgumentError, match="is a file"):
        RunWriter.create(tmp_path / "run")
    with pytest.raises(ArgumentError, match="cannot be made"):
        RunWriter.create(tmp_path / "run" / "below")


def test_contradictory_arguments_are_refused(run_path):
    with pytest.raises(ArgumentError, match="both"):
        RunWriter.create(run_path, resume=True, overwrite=True)
    with pytest.raises(ArgumentError, match="flush_seconds"):
        RunWriter.create(run_path, flush_seconds=0)
    with pytest.raises(ArgumentError, match="tags"):
        RunWriter.create(run_path, tags="baseline")
    assert not run_path.exists()


def test_a_second_writer_is_refused_and_told_who_writes(writer, run_path):
    for resume, overwrite in ((False, False), (True, False), (False, True)):
        with pytest.raises(RunInUse, match=rf"process {os.getpid()} on "):
            RunWriter.create(run_path, resume=resume, overwrite=overwrite)
    writer.log(Position(0, 0.0), {"loss": 1.0})
    assert writer.flush()


def test_after_close_the_next_writer_gets_in(writer, run_path):
    writer.close()
    RunWriter.create(run_path, resume=True).close()


def test_resume_goes_on_with_steps_seconds_and_series(finished_run):
    with RunWriter.create(finished_run, resume=True, config={}) as writer:
        assert writer.resumed_from is not None
        assert writer.resumed_from.step == 19
        assert writer.resumed_from.seconds == pytest.approx(1.9)
        assert writer.seconds() >= 1.9
        assert open_run(finished_run).status == "running"
        writer.log(Position(20, 2.0), {"loss": -1.0})
    run = open_run(finished_run)
    assert run.status == "finished"
    assert run["loss"].steps.tolist() == list(range(21))
    assert run["loss"].values[-1] == -1.0
    assert run.config == {"lr": 1e-3}
    assert run.tags == ("first",)
    assert run.note == "a note"
    assert run.seed == 7
    assert [event.kind for event in run.events] == ["start", "note", "stop", "resume", "stop"]
    assert run.events[3].details == {"after": "finished"}
    assert run.last["accuracy"] == 0.75


def test_resume_of_a_run_that_is_not_there_makes_it(run_path):
    with RunWriter.create(run_path, resume=True) as writer:
        assert writer.resumed_from is None
        writer.log(Position(0, 0.0), {"loss": 1.0})
    assert len(open_run(run_path)["loss"]) == 1


def test_resume_works_when_run_json_is_lost(finished_run):
    (finished_run / "run.json").unlink()
    with RunWriter.create(finished_run, resume=True) as writer:
        assert writer.resumed_from is not None
        assert writer.resumed_from.step == 19
    assert len(open_run(finished_run)["loss"]) == 20


def test_many_writers_work_side_by_side(tmp_path):
    writers = [RunWriter.create(tmp_path / f"run{index}") for index in range(8)]
    for step in range(50):
        for index, writer in enumerate(writers):
            writer.log(Position(step, step * 0.1), {"loss": float(index)})
    for writer in writers[::2] + writers[1::2]:
        writer.close()
    for index in range(8):
        assert open_run(tmp_path / f"run{index}")["loss"].values.tolist() == [float(index)] * 50


def test_several_threads_may_log_into_one_run(writer, run_path):
    def log(name):
        for step in range(500):
            writer.log(Position(step, step * 0.1), {name: float(step)})

    threads = [threading.Thread(target=log, args=(f"metric{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.flush()
    run = open_run(run_path)
    for index in range(4):
        assert run[f"metric{index}"].values.tolist() == list(range(500))


def test_a_forked_child_writes_nothing_and_leaves_the_run_alone(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of forks beside threads
        child = os.fork()
    if child == 0:
        writer.log(Position(1, 0.1), {"loss": 2.0})
        writer.submit(lambda: [layer_row(1, [1.0], ("conv",))])
        writer.snapshot(1, lambda: {"w": np.zeros(1)})
        writer.event("note", "from the child", step=1)
        writer.flush()
        writer.close("failed")
        writer.end_at_exit(None)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    writer.log(Position(2, 0.2), {"loss": 3.0})
    assert writer.flush()
    with pytest.raises(RunInUse):
        RunWriter.create(run_path, resume=True)
    run = open_run(run_path)
    assert run.status == "running"
    assert run["loss"].values.tolist() == [1.0, 3.0]
    assert "from the child" not in [event.message for event in run.events]


def test_a_full_queue_makes_training_wait_and_loses_nothing(writer, run_path, monkeypatch):
    release = threading.Event()
    writer.submit(lambda: wait_and_return_nothing(release))
    writer._scribe.wake.put(None)
    writer._scribe.most_waiting = 1000
    writer._wake_at = 100
    threading.Timer(0.3, release.set).start()
    log(writer, 0, 3000)
    writer.flush()
    assert writer.rows_dropped == 0
    assert open_run(run_path)["loss"].values.tolist() == list(range(3000))


def test_a_queue_that_stays_full_drops_rows_and_never_blocks_for_ever(writer, run_path, monkeypatch):
    monkeypatch.setattr("optiscope.runs.writer._LONGEST_WAIT_FOR_ROOM", 0.2)
    release = threading.Event()
    writer.submit(lambda: wait_and_return_nothing(release))
    writer._scribe.wake.put(None)
    writer._scribe.most_waiting = 1000
    writer._wake_at = 100
    began = time.monotonic()
    with pytest.warns(RecordingWarning, match="more slowly") as caught:
        log(writer, 0, 5000)
    assert time.monotonic() - began < 3.0
    assert len(caught) == 1
    release.set()
    writer.close()
    run = open_run(run_path)
    assert writer.rows_dropped > 0
    assert len(run["loss"]) + writer.rows_dropped == 5000
    assert run.losses.rows_dropped == writer.rows_dropped


def test_the_writers_thread_counts_its_seconds_and_bytes(writer, run_path):
    for step in range(2000):
        writer.log(Position(step, step * 0.1), {"loss": 1.0})
    writer.close()
    assert 0.0 < writer.thread_seconds < 5.0
    stored = sum(path.stat().st_size for path in (run_path / "series").iterdir())
    assert stored - 100 <= writer.bytes_written <= stored + 1000


def test_a_block_is_recorded_as_its_rows_would_be(writer, run_path):
    def blocks():
        for places in ([0, 2], [1, 3, 4]):
            yield Block(
                source="layers",
                positions=[Position(place, place * 0.1) for place in places],
                places=places,
                values={
                    "norm": np.array([[place, place + 0.5] for place in places], dtype=np.float32),
                    "norm/global": np.array(places, dtype=np.float64),
                },
                labels={"norm": ("conv", "fc")},
            )

    writer.submit(blocks)
    writer.submit(lambda: [layer_row(5, [5.0, 5.5], ("conv", "fc"))])
    writer.flush()
    run = open_run(run_path)
    assert run["norm"].steps.tolist() == list(range(6))
    assert run["norm"].values.tolist() == [[step, step + 0.5] for step in range(6)]
    assert run["norm"].labels == ("conv", "fc")
    assert run["norm/global"].values.tolist()[:5] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [path.name for path in (run_path / "series").iterdir()] == ["layers-0.arrows"]


def test_a_block_that_cannot_be_stored_is_dropped_whole_and_counted(writer, run_path):
    positions = [Position(0, 0.0), Position(1, 0.1)]
    wrong = Block(source="layers", positions=positions, places=[0, 1], values={"norm": np.zeros(3)})
    writer.submit(lambda: [wrong, layer_row(2, [1.0], ("conv",))])
    with pytest.warns(RecordingWarning, match="'layers' is not recorded"):
        writer.flush()
    assert writer.rows_dropped == 2
    assert open_run(run_path)["norm"].steps.tolist() == [2]


def test_a_snapshot_has_the_time_at_which_it_was_taken_and_not_that_of_its_writing(writer, run_path):
    release = threading.Event()
    assert writer.submit(lambda: wait_and_return_nothing(release))
    before = writer.seconds()
    assert writer.snapshot(1, lambda: {"w": np.zeros(1)})
    after = writer.seconds()
    time.sleep(0.05)
    release.set()
    writer.flush()
    assert before <= open_run(run_path).snapshots.header(1).seconds <= after


def test_snapshots_that_a_slow_disk_cannot_take_are_skipped_and_said_once(writer, run_path, monkeypatch):
    monkeypatch.setattr("optiscope.runs.writer._LONGEST_WAIT_FOR_ROOM", 0.02)
    release = threading.Event()
    writer.submit(lambda: wait_and_return_nothing(release))
    assert [writer.snapshot(step, lambda: {"w": np.zeros(1)}) for step in range(3)] == [True, True, False]
    with pytest.warns(RecordingWarning, match="written more slowly than they are taken") as caught:
        assert not writer.snapshot(3, lambda: {"w": np.zeros(1)})
    assert len(caught) == 1
    assert writer.faults == 2
    release.set()
    assert writer.flush()
    assert writer.snapshot(4, lambda: {"w": np.zeros(1)})
    writer.close()
    run = open_run(run_path)
    assert run.snapshots.steps == (0, 1, 4)
    assert run.losses.faults == 2


def test_snapshots_in_quick_succession_are_all_taken_by_a_disk_that_follows(writer, run_path):
    assert all(writer.snapshot(step, lambda: {"w": np.zeros(1)}) for step in range(12))
    writer.flush()
    assert len(open_run(run_path).snapshots) == 12


def test_a_writer_that_is_closed_takes_no_job(writer):
    assert writer.submit(list)
    writer.close()
    with pytest.warns(RecordingWarning, match="is closed"):
        assert not writer.submit(list)
    assert not writer.snapshot(1, dict)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, "finished"),
        (SystemExit(), "finished"),
        (SystemExit(0), "finished"),
        (SystemExit(3), "failed"),
        (SystemExit("no data"), "failed"),
        (KeyboardInterrupt(), "terminated"),
        (ValueError("x"), "failed"),
    ],
)
def test_what_ends_a_run_decides_its_status(run_path, error, status):
    assert status_after(error) == status
    with contextlib.nullcontext() if error is None else pytest.raises(type(error)), RunWriter.create(run_path):
        if error is not None:
            raise error
    run = open_run(run_path)
    assert run.status == status
    assert [event.kind for event in run.events] == ["start", *(["exception"] if status != "finished" else []), "stop"]


def test_the_recorders_faults_of_earlier_sessions_stay_counted(run_path):
    counted = []
    for faults in (3, 0, 2):
        with RunWriter.create(run_path, resume=True) as writer:
            writer.describe(faults=faults)
        counted.append(open_run(run_path).losses.faults)
    assert counted == [3, 3, 5]
