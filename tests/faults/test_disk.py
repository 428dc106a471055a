"""A disk that fills up, a folder that goes away, a permission that is lost: training goes on, the loss is counted."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from optiscope.errors import RecordingError, RecordingWarning
from optiscope.runs import Position, Run, RunWriter, open_run


class Disk:
    """Stands between the writer and the disk: refuses everything while `error` is set."""

    def __init__(self, monkeypatch) -> None:
        self.error: int | None = None
        self.calls = 0
        for target in ("optiscope.runs.run_file.replace_file", "optiscope.runs.scribe.append_events"):
            module, _, name = target.rpartition(".")
            original = getattr(__import__(module, fromlist=[name]), name)
            monkeypatch.setattr(target, self._guarding(original))

    def _guarding(self, work):
        def guarded(*arguments, **options):
            self._refuse()
            return work(*arguments, **options)

        return guarded

    def _refuse(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))

    def write(self, descriptor: int, content: memoryview) -> int:
        if self.error is not None:
            os.write(descriptor, content[: len(content) // 2])  # a full disk takes what still fits
        self._refuse()
        return os.write(descriptor, content)


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def writer(run_path, disk):
    writer = RunWriter.create(run_path)
    writer._scribe._segments._write = disk.write
    yield writer
    writer.close()


def log(writer: RunWriter, first: int, last: int) -> None:
    for step in range(first, last):
        writer.log(Position(step, step * 0.1), {"loss": float(step)})


def sentences(run: Run) -> str:
    return " ".join(run.losses.sentences())


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES])
def test_training_goes_on_with_one_warning_and_recording_resumes_when_it_can(writer, run_path, disk, error):
    log(writer, 0, 10)
    writer.flush()
    disk.error = error
    log(writer, 10, 20)
    with pytest.warns(RecordingWarning, match=os.strerror(error)) as caught:
        writer.flush()
    assert len(caught) == 1
    for _ in range(3):  # no second warning, which would be an error here
        log(writer, 20, 22)
        writer.event("note", "during", step=20)
        writer.flush()
    disk.error = None
    log(writer, 30, 40)
    writer.close()
    run = open_run(run_path)
    assert run["loss"].values.tolist() == [*range(10), *range(30, 40)]
    assert writer.rows_dropped == run.losses.rows_dropped == 16
    assert "16 rows could not be written" in sentences(run)
    assert run.status == "finished"
    assert [event.kind for event in run.events].count("note") == 3, "events are few: they wait for the disk"


def test_a_torn_batch_of_a_full_disk_does_not_hide_what_comes_later(writer, run_path, disk):
    log(writer, 0, 10)
    writer.flush()
    disk.error = errno.ENOSPC
    log(writer, 10, 20)
    with pytest.warns(RecordingWarning):
        writer.flush()
    disk.error = None
    log(writer, 20, 30)
    writer.close()
    run = open_run(run_path)
    assert run.losses.torn_segments == ("series/metrics-0.arrows",)
    assert run.losses.bytes_lost > 0
    assert run["loss"].values.tolist() == [*range(10), *range(20, 30)]


def test_a_disk_that_stays_full_to_the_end_leaves_a_readable_run(writer, run_path, disk):
    log(writer, 0, 10)
    writer.flush()
    disk.error = errno.ENOSPC
    log(writer, 10, 20)
    with pytest.warns(RecordingWarning):
        writer.close()
    run = open_run(run_path)
    assert run["loss"].values.tolist() == list(range(10))
    assert writer.rows_dropped == 10


def test_strict_raises_when_the_disk_is_full(run_path, disk):
    writer = RunWriter.create(run_path, strict=True)
    writer._scribe._segments._write = disk.write
    disk.error = errno.ENOSPC
    log(writer, 0, 1)
    with pytest.raises(RecordingError, match="No space left"):
        writer.flush()
    disk.error = None
    writer.close()


def test_a_snapshot_that_does_not_fit_leaves_no_half_file(run_path):
    """With a real limit of the operating system, which the writer's own thread runs into."""
    writer = RunWriter.create(run_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        writer.snapshot(0, lambda: {"w": np.zeros(1000)})
        writer.snapshot(1, lambda: {"w": np.zeros(100_000)})
        with pytest.warns(RecordingWarning, match="File too large"):
            writer.flush()
        log(writer, 0, 10_000)
        writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    run = open_run(run_path)
    assert run.snapshots.steps == (0,)
    assert [path.name for path in (run_path / "snapshots").iterdir()] == ["0.safetensors"]
    assert writer.faults >= 1
    stored = len(run["loss"]) if "loss" in run else 0
    assert stored + run.losses.rows_dropped == 10_000


def test_a_folder_deleted_while_it_is_written_is_one_warning_and_stays_deleted(run_path):
    writer = RunWriter.create(run_path)
    log(writer, 0, 10)
    writer.flush()
    shutil.rmtree(run_path)
    log(writer, 10, 20)
    writer.snapshot(15, lambda: {"w": np.zeros(3)})
    writer.event("note", "lost", step=15)
    with pytest.warns(RecordingWarning, match="cannot be written") as caught:
        writer.flush()
    log(writer, 20, 30)
    writer.close()
    assert len(caught) == 1
    assert writer.rows_dropped == 20
    assert not run_path.exists()


def test_a_deleted_segment_is_followed_by_a_new_one(run_path):
    writer = RunWriter.create(run_path)
    log(writer, 0, 10)
    writer.flush()
    (run_path / "series" / "metrics-0.arrows").unlink()
    log(writer, 10, 20)
    with pytest.warns(RecordingWarning, match="deleted"):
        writer.flush()
    log(writer, 20, 30)
    writer.close()
    assert open_run(run_path)["loss"].values.tolist() == list(range(20, 30))
    assert writer.rows_dropped == 10


def test_a_file_system_without_locks_is_written_all_the_same(run_path, monkeypatch):
    def refuse(self, *arguments, **options):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("optiscope.runs.lock.FileLock.acquire", refuse)
    with RunWriter.create(run_path) as writer:
        log(writer, 0, 10)
    assert len(open_run(run_path)["loss"]) == 10


def test_a_heartbeat_that_fails_is_no_crash(run_path, monkeypatch):
    monkeypatch.setattr("optiscope.runs.scribe.BEAT_SECONDS", 0.0)
    writer = RunWriter.create(run_path)
    (run_path / "writer.json").unlink()
    log(writer, 0, 10)
    with pytest.warns(RecordingWarning):
        writer.flush()
    writer.close()
    assert len(open_run(run_path)["loss"]) == 10
