from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from optiscope.errors import ArgumentError, RecordingWarning, RunExists, RunInUse, RunNotFound, UnknownName
from optiscope.runs import Position, RunWriter, open_run, runs


def record(folder: Path, name: str, *, tags=(), lr=0.1, loss=1.0, status="finished") -> None:
    writer = RunWriter.create(folder / name, config={"lr": lr}, tags=tags, model={"name": "MLP"})
    for step in range(3):
        writer.log(Position(step, step * 0.1), {"loss": loss})
    writer.close(status)


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "runs"
    record(folder, "adam-1", tags=("adam", "sweep"), lr=0.001, loss=0.5)
    record(folder, "adam-2", tags=("adam",), lr=0.01, status="failed")
    record(folder, "sgd-1", tags=("sgd", "sweep"), lr=0.1)
    (folder / "notes").mkdir()
    (folder / "readme.txt").write_text("mine")
    return folder


def test_a_catalogue_lists_the_runs_of_a_folder_oldest_first(folder):
    catalogue = runs(folder)
    assert catalogue.names == ("adam-1", "adam-2", "sgd-1")
    assert len(catalogue) == 3
    first = catalogue[0]
    assert (first.name, first.status, first.steps, first.tags) == ("adam-1", "finished", 2, ("adam", "sweep"))
    assert (first.config, first.model, first.last) == ({"lr": 0.001}, {"name": "MLP"}, {"loss": 0.5})
    assert first.path == folder / "adam-1"
    assert catalogue["sgd-1"].name == "sgd-1"
    assert [each.name for each in catalogue[1:]] == ["adam-2", "sgd-1"]
    assert catalogue[1:].names == ("adam-2", "sgd-1")


def test_filters_combine(folder):
    catalogue = runs(folder)
    assert catalogue.filter(name="adam-*").names == ("adam-1", "adam-2")
    assert catalogue.filter(tag="sweep").names == ("adam-1", "sgd-1")
    assert catalogue.filter(status="failed").names == ("adam-2",)
    assert catalogue.filter(lambda run: run.config["lr"] < 0.05, tag="sweep").names == ("adam-1",)
    assert catalogue.filter(tag="sweep").filter(name="s*").names == ("sgd-1",)
    with pytest.raises(UnknownName, match="Did you mean 'finished'"):
        catalogue.filter(status="finish")


def test_open_gives_the_run(folder):
    assert len(runs(folder).open("sgd-1")["loss"]) == 3
    with pytest.raises(UnknownName, match="Did you mean 'sgd-1'"):
        runs(folder).open("sgd-2x")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RunNotFound, match="nowhere"):
        runs(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunNotFound, match="Not a directory"):
        runs(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert len(runs(tmp_path / "empty")) == 0


def test_rename_moves_the_folder_and_the_name_in_it(folder):
    summary = runs(folder).rename("sgd-1", "baseline")
    assert summary.name == "baseline"
    assert set(runs(folder).names) == {"adam-1", "adam-2", "baseline"}
    assert json.loads((folder / "baseline" / "run.json").read_text())["name"] == "baseline"
    assert open_run(folder / "baseline").status == "finished"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "/tmp/x", ".hidden", "a\0b", "../x"])
def test_rename_refuses_what_is_no_name(folder, name):
    with pytest.raises(ArgumentError, match="name"):
        runs(folder).rename("sgd-1", name)
    assert "sgd-1" in runs(folder).names


def test_rename_does_not_replace_anything(folder):
    for taken in ("adam-1", "notes", "readme.txt", "sgd-1"):
        with pytest.raises(RunExists, match="exists already"):
            runs(folder).rename("sgd-1", taken)


def test_tags_and_notes_change_and_stay(folder):
    catalogue = runs(folder)
    assert catalogue.tag("sgd-1", "best", "sweep").tags == ("sgd", "sweep", "best")
    assert catalogue.untag("sgd-1", "sgd").tags == ("sweep", "best")
    assert catalogue.note("sgd-1", "the baseline").note == "the baseline"
    again = runs(folder)["sgd-1"]
    assert (again.tags, again.note) == (("sweep", "best"), "the baseline")
    run = open_run(folder / "sgd-1")
    assert (run.tags, run.note) == (("sweep", "best"), "the baseline")


def test_a_run_that_is_being_written_can_be_tagged_and_keeps_its_tags(folder):
    writer = RunWriter.create(folder / "live")
    runs(folder).tag("live", "watch")
    writer.log(Position(1, 0.1), {"loss": 1.0})
    writer.describe(overhead={"fraction": 0.1})
    writer.flush()
    writer.close()
    assert open_run(folder / "live").tags == ("watch",)


def test_a_run_that_is_being_written_is_neither_deleted_nor_renamed(folder):
    writer = RunWriter.create(folder / "live")
    catalogue = runs(folder)
    assert catalogue["live"].status == "running"
    with pytest.raises(RunInUse, match="being written"):
        catalogue.delete("live")
    with pytest.raises(RunInUse, match="being written"):
        catalogue.rename("live", "dead")
    assert (folder / "live" / "run.json").exists()
    writer.close()
    catalogue.delete("live")
    assert not (folder / "live").exists()


def test_force_deletes_a_run_that_says_it_is_running(folder):
    writer = RunWriter.create(folder / "live")
    runs(folder).delete("live", force=True)
    with pytest.warns(RecordingWarning, match="cannot be written"):
        writer.close()
    assert "live" not in runs(folder).names


def test_delete_takes_the_run_and_nothing_else(folder):
    (folder / "sgd-1" / "plot.png").write_text("mine")
    runs(folder).delete("sgd-1")
    assert [path.name for path in (folder / "sgd-1").iterdir()] == ["plot.png"]
    runs(folder).delete("adam-1")
    assert not (folder / "adam-1").exists()
    assert runs(folder).names == ("adam-2",)
    assert (folder / "readme.txt").read_text() == "mine"


def test_runs_without_a_readable_run_json_are_listed_as_such(folder):
    (folder / "adam-1" / "run.json").write_text("{")
    (folder / "adam-2" / "run.json").unlink()
    content = json.loads((folder / "sgd-1" / "run.json").read_text())
    (folder / "sgd-1" / "run.json").write_text(json.dumps({**content, "format_version": 99}))
    catalogue = runs(folder)
    assert set(catalogue.names) == {"adam-1", "adam-2", "sgd-1"}
    assert {each.status for each in catalogue} == {"unreadable"}
    assert "not JSON" in catalogue["adam-1"].fault
    assert "missing" in catalogue["adam-2"].fault
    assert "run format 99" in catalogue["sgd-1"].fault
    catalogue.delete("adam-1")
    assert not (folder / "adam-1").exists()


def test_two_thousand_runs_are_listed_in_a_moment(tmp_path):
    record(tmp_path, "run0")
    content = (tmp_path / "run0" / "run.json").read_text()
    for index in range(1, 2000):
        (tmp_path / f"run{index}").mkdir()
        (tmp_path / f"run{index}" / "run.json").write_text(content)
    began = time.perf_counter()
    catalogue = runs(tmp_path)
    assert len(catalogue) == 2000
    assert time.perf_counter() - began < 3.0  # about 0.2 s alone on a machine
    assert len(catalogue.filter(name="run19*")) == 111
