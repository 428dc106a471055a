from __future__ import annotations

import json
import shutil
import sys
import threading
from pathlib import Path

import pytest

from optiscope.dashboard.editing import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, TRASH_FOLDER, RunEditor
from optiscope.dashboard.runs_table import RunsTable
from optiscope.errors import ArgumentError, OptiscopeError, RunError, RunExists, RunInUse, UnknownName
from optiscope.runs import Position, RunWriter, open_run, runs
from tests.dashboard.made_runs import record

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "runs"
    for name in ("adam", "sgd"):
        record(folder, name, tags=("first",), note="a note")
    (folder / "notes").mkdir()
    return folder


@pytest.fixture
def editor(folder) -> RunEditor:
    return RunEditor(folder)


@pytest.fixture
def live(folder):
    writer = RunWriter.create(folder / "live")
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.flush()
    yield writer
    writer.close()


def names(folder: Path) -> set[str]:
    return {str(row["name"]) for row in RunsTable(folder).rows()}


def test_tags_notes_and_pins_stay_beside_run_json(editor, folder):
    before = (folder / "adam" / "run.json").read_bytes()
    assert editor.tag("adam", "best", "first") == ("first", "best")
    assert editor.untag("adam", "first", "absent") == ("best",)
    editor.note("adam", "better\nthan sgd")
    editor.pin("adam")
    [row] = [row for row in RunsTable(folder).rows() if row["pinned"]]
    assert (row["name"], row["tags"], row["note"]) == ("adam", ["best"], "better\nthan sgd")
    assert runs(folder)["adam"].tags == ("best", "pinned")
    editor.pin("adam", pinned=False)
    assert not any(row["pinned"] for row in RunsTable(folder).rows())
    assert open_run(folder / "adam").tags == ("best",)
    assert (folder / "adam" / "run.json").read_bytes() == before


def test_a_run_that_is_written_can_be_annotated_and_nothing_else(editor, folder, live):
    editor.tag("live", "watch")
    editor.note("live", "look")
    for refused in (lambda: editor.rename("live", "dead"), lambda: editor.delete("live")):
        with pytest.raises(RunInUse, match="'live' is being written"):
            refused()
    live.close()
    assert open_run(folder / "live").tags == ("watch",)
    editor.delete("live")
    assert "live" not in names(folder)


def test_a_run_whose_lock_is_held_is_not_moved_whatever_its_status(editor, folder):
    writer = RunWriter.create(folder / "live")
    content = json.loads((folder / "live" / "run.json").read_text())
    (folder / "live" / "run.json").write_text(json.dumps({**content, "status": "finished"}))
    with pytest.raises(RunInUse, match="being written"):
        editor.delete("live")
    writer.close()
    assert names(folder) == {"adam", "sgd", "live"}


def test_rename_moves_the_folder_and_the_name_in_it(editor, folder):
    editor.rename("adam", "Adam, große Läufe (2)")
    assert names(folder) == {"Adam, große Läufe (2)", "sgd"}
    assert json.loads((folder / "Adam, große Läufe (2)" / "run.json").read_text())["name"] == "Adam, große Läufe (2)"
    assert len(open_run(folder / "Adam, große Läufe (2)")["loss"]) == 5


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "/tmp/x", ".trash", "a\0b", "../x", "a\nb", " a", "x" * 201, "\u202ea"]
)
def test_rename_refuses_what_is_no_name(editor, folder, name):
    with pytest.raises(ArgumentError, match="A run's name"):
        editor.rename("adam", name)
    assert names(folder) == {"adam", "sgd"}


@pytest.mark.parametrize("name", ["sgd", "notes", "adam"])
def test_rename_takes_the_place_of_nothing(editor, folder, name):
    with pytest.raises(RunExists, match=name):
        editor.rename("adam", name)
    assert names(folder) == {"adam", "sgd"}


def test_what_is_no_tag_or_note_is_refused(editor):
    for tag in ("", "  ", "a\nb", "x" * (LONGEST_TAG + 1)):
        with pytest.raises(ArgumentError, match="A tag is"):
            editor.tag("adam", tag)
    with pytest.raises(ArgumentError, match="at most 200 tags"):
        editor.tag("adam", *map(str, range(MOST_TAGS)))
    with pytest.raises(ArgumentError, match="100,000 characters"):
        editor.note("adam", "x" * (LONGEST_NOTE + 1))
    assert open_run(editor.folder / "adam").tags == ("first",)


@pytest.mark.parametrize(
    "name", ["absent", "notes", "..", ".", "", "../runs/adam", "adam/series", "a\0b", TRASH_FOLDER]
)
def test_only_runs_right_in_the_folder_are_edited(editor, folder, name):
    for edit in (
        editor.delete,
        editor.pin,
        lambda each: editor.note(each, "x"),
        lambda each: editor.rename(each, "new"),
    ):
        with pytest.raises(UnknownName, match="Valid: adam, sgd"):
            edit(name)
    assert names(folder) == {"adam", "sgd"}
    assert sorted(path.name for path in folder.iterdir()) == ["adam", "notes", "sgd"]


def test_a_deleted_run_comes_back_whole(editor, folder):
    (folder / "adam" / "plot.png").write_bytes(b"mine")
    before = {path.relative_to(folder): path.read_bytes() for path in (folder / "adam").rglob("*") if path.is_file()}
    deleted = editor.delete("adam")
    assert deleted.name == "adam"
    assert names(folder) == {"sgd"}
    assert runs(folder).names == ("sgd",)
    assert editor.deleted() == (deleted,)
    assert RunEditor(folder).undo(deleted.key) == "adam"
    after = {path.relative_to(folder): path.read_bytes() for path in (folder / "adam").rglob("*") if path.is_file()}
    assert after == before
    assert editor.deleted() == ()
    with pytest.raises(UnknownName, match="deleted run"):
        editor.undo(deleted.key)


def test_runs_of_one_name_are_kept_apart_in_the_trash(editor, folder):
    first = editor.delete("adam")
    record(folder, "adam", steps=2)
    with pytest.raises(RunExists, match="'adam'"):
        editor.undo(first.key)
    second = editor.delete("adam")
    assert editor.deleted() == (first, second)
    editor.undo(first.key)
    assert open_run(folder / "adam").steps == 4


def test_emptying_deletes_for_good_and_leaves_no_trash(editor, folder):
    key = editor.delete("adam").key
    editor.delete("sgd")
    assert editor.empty() == ()
    assert sorted(path.name for path in folder.iterdir()) == ["notes"]
    with pytest.raises(UnknownName):
        editor.undo(key)
    assert editor.empty() == ()


def test_emptying_gives_files_of_the_user_back(editor, folder):
    (folder / "adam" / "plot.png").write_bytes(b"mine")
    (folder / "sgd" / "models").mkdir()
    (folder / "sgd" / "models" / "best.pt").write_bytes(b"mine too")
    editor.delete("adam")
    editor.delete("sgd")
    (folder / "sgd").mkdir()
    assert editor.empty() == ("adam", "sgd")
    assert [path.name for path in (folder / "adam").iterdir()] == ["plot.png"]
    [kept] = editor.deleted()
    assert kept.name == "sgd"
    (folder / "sgd").rmdir()
    editor.undo(kept.key)
    assert (folder / "sgd" / "models" / "best.pt").read_bytes() == b"mine too"


def test_among_many_runs_a_wrong_name_is_answered_with_the_nearest(editor, folder):
    for number in range(40):
        (folder / f"run-{number}").mkdir()
        shutil.copy(folder / "adam" / "run.json", folder / f"run-{number}")
    with pytest.raises(UnknownName, match=r"^'run-399' is not a run\. Did you mean 'run-39'\? There are 42 runs\.$"):
        editor.pin("run-399")


@pytest.mark.parametrize("key", ["", "..", "../adam", "1-1/../..", "/", "x", "0-0"])
def test_undo_takes_keys_of_the_trash_only(editor, folder, key):
    editor.delete("adam")
    (folder / TRASH_FOLDER / "x" / "other").mkdir(parents=True)
    with pytest.raises(UnknownName):
        editor.undo(key)


@needs_links
def test_links_are_never_followed_out_of_the_folder(editor, folder, tmp_path):
    outside = record(tmp_path / "outside", "precious")
    kept = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    (folder / "linked").symlink_to(outside)
    shutil.rmtree(folder / "adam" / "series")
    (folder / "adam" / "series").symlink_to(outside / "series")
    (folder / "sgd" / "annotations.json").symlink_to(outside / "run.json")
    with pytest.raises(UnknownName):
        editor.delete("linked")
    for name in ("adam", "sgd"):
        for edit in (editor.delete, editor.pin, lambda each: editor.rename(each, "new")):
            with pytest.raises(RunError, match="link"):
                edit(name)
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == kept


@needs_links
def test_a_link_that_came_into_the_trash_is_not_followed_when_it_is_emptied(editor, folder, tmp_path):
    outside = record(tmp_path / "outside", "precious")
    deleted = editor.delete("adam")
    place = folder / TRASH_FOLDER / deleted.key / "adam"
    shutil.rmtree(place / "series")
    (place / "series").symlink_to(outside / "series")
    assert editor.empty() == ("adam",)
    assert any((outside / "series").iterdir())
    (folder / TRASH_FOLDER).mkdir(exist_ok=True)
    shutil.rmtree(folder / TRASH_FOLDER)
    (folder / TRASH_FOLDER).symlink_to(tmp_path / "outside")
    with pytest.raises(RunError, match="is a link"):
        editor.delete("sgd")
    assert editor.deleted() == ()
    assert (outside / "run.json").exists()


def test_no_message_has_a_path_of_the_machine(editor, folder, live, tmp_path):
    said = []
    for edit in (
        lambda: editor.rename("live", "x"),
        lambda: editor.rename("adam", "sgd"),
        lambda: editor.rename("adam", "a/b"),
        lambda: editor.delete("absent"),
        lambda: editor.undo("absent"),
        lambda: editor.tag("adam", ""),
    ):
        with pytest.raises(OptiscopeError) as caught:
            edit()
        said.append(str(caught.value))
    assert not any(str(tmp_path) in each for each in said)


def test_a_failure_of_the_disk_is_a_sentence_about_the_run(editor, folder, monkeypatch):
    def failing(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(RunError, match="'adam' cannot be deleted: Permission denied"):
        editor.delete("adam")
    assert names(folder) == {"adam", "sgd"}
    assert editor.deleted() == ()


def test_tags_from_many_threads_are_all_kept(editor, folder):
    threads = [threading.Thread(target=editor.tag, args=("adam", f"tag {number}")) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(open_run(folder / "adam").tags) == {"first", *(f"tag {number}" for number in range(20))}
