"""Live: what changes in the folder reaches every page once, and a page that was away goes on from where it was."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from optiscope.dashboard.containment import RunsFolder
from optiscope.dashboard.growth import Growth
from optiscope.dashboard.live import Changes, Watcher
from optiscope.dashboard.server import DashboardServer
from optiscope.runs import Position, RunWriter
from optiscope.runs.catalogue import runs
from optiscope.runs.heartbeat import WriterIdentity, write_heartbeat
from optiscope.runs.run_file import read_run_file, write_run_file
from tests.dashboard.serving import Stream, ask, edit, write_run

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    write_run(folder / "old")
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[DashboardServer]:
    with DashboardServer(folder) as server:
        yield server


def log(writer: RunWriter, *steps: int) -> None:
    for step in steps:
        writer.log(Position(step, step * 0.1), {"loss": 1.0})
    writer.flush()


def news(watcher: Watcher, since: int | None) -> Changes:
    changes = watcher.changes_since(since)
    assert changes is not None
    return changes


# ------------------------------------------------------------------------------------------------------------- watcher


def test_the_first_look_finds_all_runs_and_counts_only_those_that_are_written(folder: Path):
    watcher = Watcher(RunsFolder(folder))
    assert watcher.changes_since(None) is None
    with RunWriter.create(folder / "new") as writer:
        log(writer, 0, 1, 2)
        watcher.look()
        changes = news(watcher, None)
    assert changes.is_whole
    assert changes.added["new"] == {"rows": 3, "step": 2, "status": "running"}
    assert changes.added["old"] == {"rows": None, "step": None, "status": "finished"}


def test_each_kind_of_change_is_told_once_and_only_what_changed(folder: Path):
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    number = news(watcher, None).number
    assert not watcher.look()
    assert not news(watcher, number)

    writer = RunWriter.create(folder / "new")
    log(writer, 0)
    watcher.look()
    changes = news(watcher, number)
    assert (set(changes.added), changes.changed, changes.removed, changes.grown) == ({"new"}, {}, (), {})

    log(writer, 1, 7)
    watcher.look()
    changes = news(watcher, changes.number)
    assert (changes.added, changes.removed, changes.grown) == ({}, (), {"new": (3, 7)})

    writer.close()
    watcher.look()
    changes = news(watcher, changes.number)
    assert changes.changed == {"new": "finished"}

    runs(folder).tag("old", "good")
    watcher.look()
    changes = news(watcher, changes.number)
    assert (changes.changed, changes.grown) == ({"old": "finished"}, {})

    shutil.rmtree(folder / "old")
    watcher.look()
    changes = news(watcher, changes.number)
    assert (changes.removed, changes.added, changes.changed) == (("old",), {}, {})


def test_whoever_missed_several_changes_gets_them_in_one_piece(folder: Path):
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    number = news(watcher, None).number
    with RunWriter.create(folder / "new") as writer:
        for step in range(5):
            log(writer, step)
            watcher.look()
    shutil.rmtree(folder / "old")
    watcher.look()
    changes = news(watcher, number)
    assert changes.added == {"new": {"rows": 5, "step": 4, "status": "finished"}}
    assert changes.removed == ("old",)
    assert not changes.grown


@pytest.mark.parametrize("number", [99, -1])
def test_whoever_comes_with_a_number_that_means_nothing_gets_everything(folder: Path, number: int):
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    assert news(watcher, number).is_whole


def test_another_run_in_the_same_folder_is_told_as_new(folder: Path):
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    number = news(watcher, None).number
    shutil.rmtree(folder / "old")
    write_run(folder / "old", steps=2)
    watcher.look()
    assert set(news(watcher, number).added) == {"old"}


def test_a_writer_that_dies_without_a_word_is_told_as_a_crash(folder: Path):
    path = folder / "old"
    write_run_file(path, {**read_run_file(path), "status": "running"}, durable=False)
    alive = WriterIdentity.of_this_process()
    write_heartbeat(path, alive)
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    changes = news(watcher, None)
    assert changes.added["old"]["status"] == "running"
    dead = WriterIdentity(
        pid=2**22 + 1, host=alive.host, process_started="1", pid_namespace=alive.pid_namespace, since=0.0
    )
    write_heartbeat(path, dead)
    watcher.look()
    assert news(watcher, changes.number).changed == {"old": "crashed"}


def test_a_torn_tail_counts_when_it_has_become_whole(folder: Path):
    segment = next((folder / "old" / "series").iterdir())
    content = segment.read_bytes()
    growth = Growth(folder / "old")
    segment.write_bytes(content[: len(content) // 2])
    assert growth.count()
    before = growth.rows
    with segment.open("ab") as file:
        file.write(content[len(content) // 2 :])
    assert growth.count()
    assert (before, growth.rows, growth.step) == (0, 5, 4)


def test_a_run_at_rest_that_grows_is_counted_whole(folder: Path):
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    number = news(watcher, None).number
    with RunWriter.create(folder / "old", resume=True) as writer:
        log(writer, 5, 6)
        watcher.look()
    assert news(watcher, number).grown == {"old": (7, 6)}


def test_a_folder_that_goes_away_and_comes_back_does_not_end_the_watching(folder: Path):
    watcher = Watcher(RunsFolder(folder), interval=0.01)
    woken = threading.Event()
    with watcher.listening(woken.set):
        assert woken.wait(10)
        woken.clear()
        moved = folder.rename(folder.with_name("away"))
        time.sleep(0.05)
        write_run(moved / "new")
        moved.rename(folder)
        assert woken.wait(10)
    watcher.close()
    assert "new" in news(watcher, None).added


def test_nobody_looks_while_nobody_listens(folder: Path, monkeypatch: pytest.MonkeyPatch):
    watcher = Watcher(RunsFolder(folder), interval=0.01)
    looks = []
    monkeypatch.setattr(watcher, "look", lambda: looks.append(1) or True)
    woken = threading.Event()
    with watcher.listening(woken.set):
        assert woken.wait(10)
    time.sleep(0.05)
    count = len(looks)
    time.sleep(0.1)
    assert len(looks) == count
    watcher.close()


# -------------------------------------------------------------------------------------------------------------- events


def test_events_tell_of_new_rows_within_a_second(folder: Path, server: DashboardServer):
    with Stream(server) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        kind, data = stream.next()
        assert (kind, set(data["runs"])) == ("runs", {"old"})
        with RunWriter.create(folder / "new") as writer:
            assert stream.until("added", "new")["status"] == "running"
            waits = []
            for step in range(3):
                log(writer, step)
                begin = time.perf_counter()
                while stream.until("grown", "new") != [step + 1, step]:
                    pass
                waits.append(time.perf_counter() - begin)
            assert sorted(waits)[1] < 1.0
        while stream.until("changed", "new") != "finished":
            pass
        edit(server, action="delete", run="old")
        assert stream.until("removed", "old") == "old"


def test_a_page_that_was_away_goes_on_from_its_last_event(folder: Path, server: DashboardServer):
    with Stream(server) as stream:
        stream.next()
        last_id = stream.last_id
    write_run(folder / "new")
    with Stream(server, {"Last-Event-ID": last_id}) as stream:
        kind, data = stream.next()
    assert kind == "changes"
    assert list(data) == ["added"]
    assert list(data["added"]) == ["new"]


@pytest.mark.parametrize("last_id", ["", "nonsense", "0123456789abcdef-1", "-1", "x-9999999999999999999999"])
def test_a_page_of_another_start_begins_anew(server: DashboardServer, last_id: str):
    with Stream(server, {"Last-Event-ID": last_id}) as stream:
        assert stream.next()[0] == "runs"


def test_the_bytes_of_an_event_depend_on_what_changed_and_not_on_how_many_runs_there_are(tmp_path: Path):
    folder = tmp_path / "runs"
    for number in range(50):
        write_run(folder / f"run-{number}", steps=1)
    with RunWriter.create(folder / "new") as writer, DashboardServer(folder) as server, Stream(server) as stream:
        assert len(stream.next()[1]["runs"]) == 51
        log(writer, 0)
        line = next(line for line in stream.lines() if "grown" in line)
    assert "run-" not in line
    assert len(line) < 100


def test_one_thread_watches_for_all_pages_and_a_page_that_leaves_is_forgotten(server: DashboardServer):
    streams = [Stream(server) for _ in range(5)]
    for stream in streams:
        stream.next()
    watchers = [each for each in threading.enumerate() if each.name == "optiscope-dashboard-watcher"]
    assert len(watchers) == 1
    watcher = server.application.watcher
    assert watcher.listeners == 5
    for stream in streams:
        stream.close()
    deadline = time.monotonic() + 10
    while watcher.listeners and time.monotonic() < deadline:
        time.sleep(0.02)
    assert watcher.listeners == 0


def test_silence_is_broken_by_comments(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("optiscope.dashboard.event_stream.HEARTBEAT_SECONDS", 0.05)
    with DashboardServer(folder) as server, Stream(server) as stream:
        stream.next()
        comments = (line for line in stream.lines() if line.startswith(":"))
        assert [next(comments) for _ in range(3)] == [": still here"] * 3


def test_a_server_that_stops_ends_the_streams_and_its_threads(folder: Path):
    with DashboardServer(folder) as server:
        stream = Stream(server)
        stream.next()
        begin = time.perf_counter()
    assert time.perf_counter() - begin < 2.0
    with pytest.raises(EOFError):
        stream.next()
    stream.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("optiscope-dashboard")]


def test_a_page_reconnects_after_the_server_was_killed_and_started_again(folder: Path):
    with DashboardServer(folder) as server, Stream(server) as stream:
        stream.next()
        last_id, port = stream.last_id, server.port
    with DashboardServer(folder, port=port) as server, Stream(server, {"Last-Event-ID": last_id}) as stream:
        assert server.port == port
        assert stream.next()[0] == "runs"
        assert ask(server, "/api/runs").status == 200


@pytest.mark.slow
def test_hundreds_of_runs_at_rest_are_looked_at_quickly(tmp_path: Path):
    folder = tmp_path / "runs"
    for number in range(300):
        write_run(folder / f"run-{number}", steps=2)
    watcher = Watcher(RunsFolder(folder))
    watcher.look()
    begin = time.perf_counter()
    for _ in range(5):
        watcher.look()
    assert (time.perf_counter() - begin) / 5 < 0.1
