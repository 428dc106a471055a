from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from optiscope.errors import RunInUse
from optiscope.runs import Position, RunWriter, open_run
from optiscope.runs.heartbeat import WriterIdentity, is_writing, read_heartbeat, write_heartbeat


@pytest.fixture
def here() -> WriterIdentity:
    return WriterIdentity.of_this_process()


def age(path: Path, seconds: float) -> None:
    moment = (path / "writer.json").stat().st_mtime - seconds
    os.utime(path / "writer.json", (moment, moment))


def test_a_living_process_is_writing_even_if_it_was_silent(tmp_path, here):
    write_heartbeat(tmp_path, here)
    assert is_writing(tmp_path)
    age(tmp_path, 3600)
    assert is_writing(tmp_path)


def test_a_dead_process_is_not_even_if_it_was_heard_just_now(tmp_path, here):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    write_heartbeat(tmp_path, replace(here, pid=process.pid))
    assert not is_writing(tmp_path)


def test_a_later_process_with_the_same_number_is_somebody_else(tmp_path, here):
    if not here.process_started:
        pytest.skip("this system does not tell when a process started")
    write_heartbeat(tmp_path, replace(here, process_started="1"))
    assert not is_writing(tmp_path)


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"pid_namespace": "pid:[1]"}])
def test_of_a_process_elsewhere_the_heartbeat_decides(tmp_path, here, elsewhere):
    write_heartbeat(tmp_path, replace(here, pid=2**22 + 1, **elsewhere))
    assert is_writing(tmp_path)
    age(tmp_path, 16)
    assert not is_writing(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"pid": "x"}'])
def test_a_heartbeat_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / "writer.json").write_bytes(content)
    assert read_heartbeat(tmp_path) is None
    assert not is_writing(tmp_path)


def test_the_writer_beats_while_it_has_nothing_to_write(run_path, monkeypatch):
    monkeypatch.setattr("optiscope.runs.scribe.BEAT_SECONDS", 0.0)
    with RunWriter.create(run_path) as writer:
        age(run_path, 100)
        writer.flush()
        heard = read_heartbeat(run_path)
        assert heard is not None
        assert heard[1] < 50
    assert read_heartbeat(run_path) is None


def test_a_run_whose_writer_is_gone_has_crashed_and_can_be_resumed(run_path, here):
    writer = RunWriter.create(run_path)
    writer.log(Position(1, 0.1), {"loss": 1.0})
    writer.flush()
    writer.close()
    content = json.loads((run_path / "run.json").read_text())
    (run_path / "run.json").write_text(json.dumps({**content, "status": "running"}))
    (run_path / "writer.json").write_text(json.dumps(asdict(replace(here, process_started="1"))))
    assert open_run(run_path).status == "crashed"
    with RunWriter.create(run_path, resume=True):
        assert open_run(run_path).status == "running"
    run = open_run(run_path)
    assert run.status == "finished"
    assert [event.details for event in run.events if event.kind == "resume"] == [{"after": "crashed"}]


def test_a_writer_in_another_process_is_named(run_path):
    script = f"""
import sys
from optiscope.runs import RunWriter
writer = RunWriter.create({str(run_path)!r})
print("ready", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(RunInUse, match=f"process {process.pid} on "):
            RunWriter.create(run_path, resume=True)
        assert open_run(run_path).status == "running"
        process.communicate("\n", timeout=30)
    assert open_run(run_path).status == "finished"
