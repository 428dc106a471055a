from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from optiscope.dashboard import runs_table
from optiscope.dashboard.filtering import known_names, parse_query
from optiscope.dashboard.runs_table import RunsTable, flat, is_seed
from optiscope.errors import RunNotFound
from optiscope.runs import Position, RunWriter, runs
from tests.dashboard.made_runs import multiply, record


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "runs"


def row_of(table: RunsTable, name: str) -> dict[str, object]:
    return {row["name"]: row for row in table.rows()}[name]


def touch(path: Path, age: float) -> None:
    os.utime(path, (time.time() - age,) * 2)


def test_a_row_says_what_the_run_is(folder):
    writer = RunWriter.create(
        folder / "adam",
        config={"lr": 0.1, "data": {"size": 3}},
        tags=("sweep", "pinned"),
        note="a note",
        seed=7,
        model={"name": "LeNet"},
        optimizer={"name": "Adam", "groups": [{"name": "all", "hyperparameters": {"lr": 0.1, "eps": 1e-8}}]},
    )
    for step in range(5):
        writer.log(Position(step, step * 0.1), {"loss": [3.0, math.nan, 1.0, 2.0, 2.5][step], "accuracy": step / 10})
    writer.describe(overhead={"fraction": 0.03})
    writer.close()
    row = row_of(RunsTable(folder), "adam")
    assert row["started"] == runs(folder)["adam"].started.isoformat()
    assert len(str(row["id"])) == 32
    assert {key: row[key] for key in row if key not in {"id", "started", "group"}} == {
        "name": "adam",
        "status": "finished",
        "duration": 0.4,
        "steps": 4,
        "seed": 7,
        "tags": ["sweep"],
        "note": "a note",
        "pinned": True,
        "fault": "",
        "config": {"lr": 0.1, "data.size": 3},
        "model": "LeNet",
        "optimizer": "Adam",
        "hyperparameters": {"lr": 0.1, "eps": 1e-8},
        "last": {"loss": 2.5, "accuracy": 0.4},
        "best": {"loss": 1.0, "accuracy": 0.4},
        "best_steps": {"loss": 2, "accuracy": 4},
        "overhead": 0.03,
    }
    query = parse_query("lr < 1 and optimizer == adam and best.loss == 1 and data.size == 3", known_names([row]))
    assert query.matches(row)


def test_rows_agree_with_the_catalogue(folder):
    for number, status in enumerate(("finished", "failed", "terminated", "finished")):
        record(folder, f"run {number}", status=status, config={"lr": number})
    (folder / "run 3" / "run.json").write_text("{")
    (folder / "notes").mkdir()
    (folder / "file").write_text("mine")
    rows = RunsTable(folder).rows()
    catalogue = runs(folder)
    assert [row["name"] for row in rows] == list(catalogue.names)
    for row, summary in zip(rows, catalogue, strict=True):
        assert (row["status"], row["steps"], row["duration"], row["config"], row["last"], row["note"]) == (
            summary.status, summary.steps, summary.seconds, summary.config, summary.last, summary.note,
        )  # fmt: skip


def test_only_runs_whose_files_changed_are_read_again(folder):
    multiply(record(folder, "run"), 20)
    table = RunsTable(folder)
    assert len(table.rows()) == 21
    assert table.runs_read == 21
    first = table.rows()
    assert table.runs_read == 21
    runs(folder).tag("run-3", "best")
    rows = table.rows()
    assert table.runs_read == 22
    assert [row["name"] for row in rows if "best" in row["tags"]] == ["run-3"]
    assert row_of(table, "run-3")["best"] == {"loss": 0.2}
    shutil.rmtree(folder / "run-4")
    record(folder, "new", steps=2)
    names = {row["name"] for row in table.rows()}
    assert names == {row["name"] for row in first} - {"run-4"} | {"new"}
    assert table.runs_read == 23


def test_a_run_that_is_written_is_followed_to_its_end(folder):
    table = RunsTable(folder)
    writer = RunWriter.create(folder / "live")
    for step in range(3):
        writer.log(Position(step, step * 0.1), {"loss": 3.0 - step})
    writer.flush()
    row = row_of(table, "live")
    assert (row["status"], row["best"]) == ("running", {} if not row["last"] else {"loss": 1.0})
    writer.log(Position(3, 0.3), {"loss": 0.5})
    writer.close()
    row = row_of(table, "live")
    assert (row["status"], row["steps"], row["best"], row["best_steps"]) == ("finished", 3, {"loss": 0.5}, {"loss": 3})
    assert table.pending == 0


def test_a_run_whose_writer_is_gone_has_crashed_without_a_change_of_run_json(folder):
    table = RunsTable(folder)
    writer = RunWriter.create(folder / "live")
    writer.log(Position(1, 0.1), {"loss": 1.0})
    writer.flush()
    assert row_of(table, "live")["status"] == "running"
    heartbeat = folder / "live" / "writer.json"
    content = json.loads(heartbeat.read_text())
    heartbeat.write_text(json.dumps({**content, "process_started": "another", "host": "elsewhere"}))
    touch(heartbeat, 60)
    read = table.runs_read
    assert row_of(table, "live")["status"] == "crashed"
    assert table.runs_read == read
    writer.close()
    assert row_of(table, "live")["status"] == "finished"


def test_a_run_without_new_rows_has_stalled_until_some_come(folder):
    table = RunsTable(folder)
    writer = RunWriter.create(folder / "live")
    writer.log(Position(1, 0.1), {"loss": 1.0})
    writer.flush()
    files = [folder / "live" / "run.json", *(folder / "live" / "series").iterdir()]
    for path in files:
        touch(path, 3600)
    table.rows()  # looks at the segments only after the status
    assert row_of(table, "live")["status"] == "stalled"
    writer.log(Position(2, 0.2), {"loss": 1.0})
    writer.flush()
    table.rows()
    assert row_of(table, "live")["status"] == "running"
    writer.close()


def test_a_run_with_long_steps_does_not_stall_for_that(folder):
    writer = RunWriter.create(folder / "slow")
    writer.log(Position(2, 400.0), {"loss": 1.0})
    writer.flush()
    content = json.loads((folder / "slow" / "run.json").read_text())
    (folder / "slow" / "run.json").write_text(json.dumps({**content, "steps": 2, "seconds": 400.0}))
    for path in [folder / "slow" / "run.json", *(folder / "slow" / "series").iterdir()]:
        touch(path, 3600)
    table = RunsTable(folder)
    assert [row_of(table, "slow")["status"] for _ in range(2)] == ["running"] * 2
    writer.close()


def test_a_run_written_over_begins_anew(folder):
    table = RunsTable(folder)
    record(folder, "run", losses=[0.1, 0.2])
    assert row_of(table, "run")["best"] == {"loss": 0.1}
    with RunWriter.create(folder / "run", overwrite=True) as writer:
        writer.log(Position(0, 0.0), {"loss": 4.0})
    assert row_of(table, "run")["best"] == {"loss": 4.0}


def test_best_values_come_in_several_listings_when_time_is_short(folder):
    multiply(record(folder, "run"), 5)
    table = RunsTable(folder, reading_seconds=0.0)
    pending = []
    for _ in range(8):
        rows = table.rows()
        assert sum(bool(row["best"]) for row in rows) == 6 - table.pending
        pending.append(table.pending)
    assert pending == [5, 4, 3, 2, 1, 0, 0, 0]
    assert all(row["best"] == {"loss": 0.2} for row in rows)


def test_runs_that_differ_in_the_seed_only_are_one_group(folder):
    record(folder, "a", config={"lr": 0.1, "seed": 1, "data": {"random_state": 5}}, seed=1)
    record(folder, "b", config={"data": {"random_state": 6}, "seed": 2, "lr": 0.1}, seed=2)
    record(folder, "c", config={"lr": 0.2, "seed": 1, "data": {"random_state": 5}})
    record(folder, "d", config={"lr": 0.1, "seed": 1}, optimizer={"name": "Adam"})
    record(folder, "e", config={})
    record(folder, "f", config={})
    keys = {row["name"]: row["group"] for row in RunsTable(folder).rows()}
    assert keys["a"] == keys["b"]
    assert len(set(keys.values())) == 5


def test_seeds_are_told_by_their_name():
    for name in ("seed", "torch_seed", "data.seed", "random_state", "data.random_state", "Seed", "seeds", "np-seed"):
        assert is_seed(name), name
    for name in ("lr", "seed_everything", "speed", "seeded", "linseed", "seed.kind"):
        assert not is_seed(name), name


def test_deep_configs_are_flat():
    assert flat({"a": {"b": {"c": 1}}, "d": {}, "e": [{"f": 1}]}) == {"a.b.c": 1, "d": {}, "e": [{"f": 1}]}
    deep: dict = {}
    for _ in range(500):
        deep = {"x": deep}
    assert len(flat(deep)) == 1


def test_runs_that_cannot_be_read_are_listed_without_a_path_of_the_machine(folder):
    for name in ("broken", "missing", "newer"):
        record(folder, name)
    (folder / "broken" / "run.json").write_text("{")
    (folder / "missing" / "run.json").unlink()
    (folder / "newer" / "run.json").write_text('{"format_version": 99}')
    rows = {row["name"]: row for row in RunsTable(folder).rows()}
    assert {row["status"] for row in rows.values()} == {"unreadable"}
    assert "not JSON" in rows["broken"]["fault"]
    assert "missing" in rows["missing"]["fault"]
    assert "run format 99" in rows["newer"]["fault"]
    assert not any(str(folder) in str(row["fault"]) for row in rows.values())


def test_strange_contents_of_run_json_do_no_harm(folder):
    strange = [[], 3, "text", None, {"a": []}, [[]]]
    for number, each in enumerate(strange):
        path = record(folder, f"run{number}")
        content = json.loads((path / "run.json").read_text())
        fields = ("config", "tags", "note", "seed", "model", "optimizer", "overhead", "last", "started", "steps")
        (path / "run.json").write_text(json.dumps({**content, **dict.fromkeys(fields, each)}))
    table = RunsTable(folder)
    assert len(table.rows()) == len(table.rows()) == len(strange)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_are_not_followed(folder, tmp_path):
    outside = record(tmp_path / "outside", "secret", config={"password": "x"})
    record(folder, "run")
    (folder / "linked").symlink_to(outside)
    for name, file in (("file", "run.json"), ("notes", "annotations.json"), ("rows", "series")):
        record(folder, name)
        if file == "series":
            shutil.rmtree(folder / name / file)
        else:
            (folder / name / file).unlink(missing_ok=True)
        (folder / name / file).symlink_to(outside / file)
    (folder / ".trash" / "1" / "gone").mkdir(parents=True)
    rows = {row["name"]: row for row in RunsTable(folder).rows()}
    assert set(rows) == {"run", "file", "notes", "rows"}
    assert "is a link" in rows["file"]["fault"]
    assert rows["file"]["config"] == {}
    assert "is a link" in rows["notes"]["fault"]
    assert rows["rows"]["best"] == {}


def test_a_folder_that_is_not_there_is_named(folder):
    with pytest.raises(RunNotFound, match="'runs'"):
        RunsTable(folder).rows()
    folder.mkdir()
    assert RunsTable(folder).rows() == []


def test_only_the_main_metrics_have_a_best_value(folder):
    with RunWriter.create(folder / "run") as writer:
        writer.log(Position(0, 0.0), {"loss": 1.0, "val_loss": 1.0} | {f"m{k}": 1.0 for k in range(100)})
    best = row_of(RunsTable(folder), "run")["best"]
    assert len(best) == runs_table.MAIN_METRICS
    assert {"loss", "val_loss"} <= set(best)


@pytest.mark.slow
def test_two_thousand_runs_stay_fast(folder):
    multiply(record(folder, "run", steps=200), 1999)
    table = RunsTable(folder)
    began = time.perf_counter()
    assert len(table.rows()) == 2000
    first = time.perf_counter() - began
    while table.pending:
        table.rows()
    began = time.perf_counter()
    assert all(row["best"] for row in table.rows())
    again = time.perf_counter() - began
    print(f"first {first:.3f} s, again {again:.3f} s")
    # Alone on a machine about a quarter of these.
    assert first < 4.0
    assert again < 0.4
    assert table.runs_read == 2000
