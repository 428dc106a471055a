from __future__ import annotations

import shutil

import pytest

from optiscope.errors import ArgumentError
from optiscope.runs import Cursor, Position, RunWriter, open_run
from tests.runs.conftest import layer_row


def test_each_look_gives_only_what_is_new(writer, run_path):
    run = open_run(run_path)
    cursor = None
    for round_number in range(4):
        for step in range(round_number * 5, round_number * 5 + 5):
            writer.log(Position(step, step * 0.1), {"loss": float(step)})
        writer.event("note", f"round {round_number}", step=0)
        writer.flush()
        tail = run.since(cursor)
        assert tail.series["loss"].values.tolist() == list(range(round_number * 5, round_number * 5 + 5))
        assert [event.message for event in tail.events if event.kind == "note"] == [f"round {round_number}"]
        cursor = tail.cursor
        nothing = run.since(cursor)
        assert nothing.series == {}
        assert nothing.events == ()
        assert nothing.cursor == cursor


def test_new_names_and_new_segments_are_found(writer, run_path):
    writer.log(Position(0, 0.0), {"loss": 1.0})
    writer.flush()
    run = open_run(run_path)
    cursor = run.since(None).cursor
    writer.log(Position(1, 0.1), {"loss": 2.0, "accuracy": 0.5})
    writer.submit(lambda: [layer_row(1, [1.0, 2.0], ("conv", "fc"))])
    writer.flush()
    tail = run.since(cursor)
    assert {name: each.values.tolist() for name, each in tail.series.items()} == {
        "loss": [2.0],
        "accuracy": [0.5],
        "norm": [[1.0, 2.0]],
        "norm/global": [pytest.approx(5.0**0.5)],
    }


def test_a_batch_that_is_not_finished_waits_for_the_next_look(finished_run):
    path = finished_run / "series" / "layers-0.arrows"
    content = path.read_bytes()
    path.write_bytes(content[:-50])
    run = open_run(finished_run)
    tail = run.since(None)
    assert "norm" not in tail.series
    path.write_bytes(content)
    assert len(run.since(tail.cursor).series["norm"]) == 20


def test_a_cursor_travels_as_text(finished_run):
    cursor = open_run(finished_run).since(None).cursor
    assert Cursor.from_json(cursor.to_json()) == cursor
    for text in ("", "{}", "[]", '{"run_id": "", "offsets": 3, "events": 0}', "null"):
        with pytest.raises(ArgumentError, match="no cursor"):
            Cursor.from_json(text)


def test_a_cursor_of_the_run_that_was_here_before_begins_anew(finished_run):
    cursor = open_run(finished_run).since(None).cursor
    with RunWriter.create(finished_run, overwrite=True) as writer:
        for step in range(10):
            writer.log(Position(step, step * 0.1), {"loss": 2.0})
    tail = open_run(finished_run).since(cursor)
    assert tail.is_restarted
    assert tail.series["loss"].values.tolist() == [2.0] * 10


def test_a_run_that_went_away_has_nothing_new(finished_run):
    run = open_run(finished_run)
    cursor = run.since(None).cursor
    shutil.rmtree(finished_run)
    tail = run.since(cursor)
    assert tail.series == {}
    assert tail.events == ()


def test_looking_costs_what_is_new_and_not_what_is_there(writer, run_path):
    for step in range(20_000):
        writer.log(Position(step, step * 0.1), {"loss": float(step)})
        if step % 1000 == 0:
            writer.flush()
    writer.flush()
    run = open_run(run_path)
    cursor = run.since(None).cursor
    writer.log(Position(20_000, 2000.0), {"loss": -1.0})
    writer.flush()
    tail = run.since(cursor)
    assert tail.series["loss"].values.tolist() == [-1.0]
    assert tail.series["loss"].values.base is None or tail.series["loss"].values.nbytes == 8
