from __future__ import annotations

from pathlib import Path

from .conftest import Call


def test_a_run_is_shown_in_words_and_numbers(call: Call, runs: Path) -> None:
    called = call("show", runs / "adam")
    assert called.code == 0
    assert "rings (NumPy, 205 parameters) was trained with adam" in called.out
    assert "gradient_norm/global" in called.out
    assert "Snapshots of all parameters: 11." in called.out


def test_what_went_wrong_is_marked(call: Call, runs: Path) -> None:
    assert "  ! loss is NaN or infinite in 11 of its 20 values" in call("show", runs / "sgd").out


def test_json_is_all_of_stdout_and_holds_the_summary_the_series_and_the_losses(call_process: Call, runs: Path) -> None:
    shown = call_process("show", runs / "sgd", "--json").json
    assert shown["name"] == "sgd"
    assert shown["steps"] == 20
    loss = next(one for one in shown["series"] if one["name"] == "loss")
    assert (loss["rows"], loss["nonfinite"], loss["first_nonfinite_step"]) == (20, 11, 10)
    assert loss["last"] == "NaN"
    assert loss["minimum"] <= loss["first"] <= loss["maximum"]
    assert shown["overhead"]["fraction"] == 0.031
    assert shown["losses"]["sentences"] == []
    assert shown["summary"][0]["kind"] == "fact"
    assert shown["snapshots"][0] == 0


def test_a_folder_that_is_no_run_is_an_error(call: Call, tmp_path: Path) -> None:
    called = call("show", tmp_path)
    assert called.code == 2
    assert "There is no run at" in called.err


def test_a_folder_of_runs_is_pointed_to_the_commands_for_it(call_process: Call, runs: Path) -> None:
    said = call_process("show", runs)
    assert said.code != 0
    assert "that is a folder of runs" in " ".join(said.err.split())
    assert "optiscope ls" in said.err
