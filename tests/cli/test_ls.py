from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Call


def test_runs_are_listed_with_their_metrics(call: Call, runs: Path) -> None:
    called = call("ls", runs)
    assert called.code == 0
    head, *rows = called.out.splitlines()
    assert head.split()[:5] == ["name", "status", "started", "steps", "time"]
    assert {"loss", "accuracy", "overhead"} <= set(head.split())
    assert [row.split()[0] for row in rows] == ["adam", "momentum", "sgd"]
    assert "NaN" in rows[2]


def test_piped_output_is_plain_and_never_cut(call_process: Call, runs: Path) -> None:
    out = call_process("ls", runs).out
    assert "\x1b" not in out
    assert "…" not in out
    assert not set("─│┃━╭") & set(out)


def test_json_is_all_of_stdout_and_holds_everything(call_process: Call, runs: Path) -> None:
    listed = call_process("ls", runs, "--json").json
    assert [run["name"] for run in listed] == ["adam", "momentum", "sgd"]
    adam, _, sgd = listed
    assert adam["steps"] == 40
    assert adam["config"]["lr"] == 0.02
    assert adam["started"].startswith("20")
    assert sgd["last"]["loss"] == "NaN"
    assert {"path", "status", "seconds", "last", "tags", "note", "model", "optimizer", "overhead"} <= set(adam)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--filter", "*m*"), ["adam", "momentum"]),
        (("--status", "failed"), ["momentum"]),
        (("--tag", "none"), []),
        (("--sort", "steps"), ["sgd", "momentum", "adam"]),
        (("--sort", "steps", "--descending"), ["adam", "momentum", "sgd"]),
        (("--sort", "name", "--descending"), ["sgd", "momentum", "adam"]),
        (("--sort", "started"), ["adam", "momentum", "sgd"]),
    ],
)
def test_runs_are_chosen_and_ordered(call: Call, runs: Path, options: tuple[str, ...], names: list[str]) -> None:
    assert [run["name"] for run in call("ls", runs, "--json", *options).json] == names


@pytest.mark.parametrize("options", [(), ("--descending",)])
def test_runs_whose_metric_is_nan_come_last_in_either_order(call: Call, runs: Path, options: tuple[str, ...]) -> None:
    assert call("ls", runs, "--json", "--sort", "loss", *options).json[-1]["name"] == "sgd"


def test_a_wrong_key_to_sort_by_names_the_nearest(call: Call, runs: Path) -> None:
    called = call("ls", runs, "--sort", "los")
    assert called.code == 2
    assert "Did you mean 'loss'?" in called.err


def test_a_wrong_status_names_the_valid_ones(call: Call, runs: Path) -> None:
    called = call("ls", runs, "--status", "done")
    assert called.code == 2
    assert "crashed" in called.err


def test_a_folder_without_runs_is_said_on_stderr(call: Call, tmp_path: Path) -> None:
    called = call("ls", tmp_path)
    assert (called.code, called.out) == (0, "")
    assert "No run in" in called.err
    assert call("ls", tmp_path, "--json").json == []


def test_the_folder_is_runs_where_there_is_one(call: Call, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (runs.parent, runs):
        monkeypatch.chdir(folder)
        assert len(call("ls", "--json").json) == 3


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(call: Call, tmp_path: Path) -> None:
    (tmp_path / "broken" / "series").mkdir(parents=True)
    (tmp_path / "broken" / "run.json").write_text("{")
    called = call("ls", tmp_path)
    assert called.code == 0
    assert "unreadable" in called.out
    assert "not JSON" in called.err


def test_control_characters_in_a_name_do_not_reach_the_terminal(call: Call, tmp_path: Path) -> None:
    from tests.figures.sample_runs import train

    train(tmp_path / "a\x1b[31mred", steps=2)
    out = call("ls", tmp_path).out
    assert "\x1b" not in out
    assert "\\x1b[31mred" in out
