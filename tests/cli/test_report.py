from __future__ import annotations

from pathlib import Path

from .conftest import Call


def test_a_report_of_one_run_is_written(call: Call, runs: Path, tmp_path: Path) -> None:
    called = call("report", runs / "adam", "--out", tmp_path / "page.html", "--title", "My run", "--theme", "dark")
    assert called.code == 0
    assert "page.html" in called.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>My run</title>" in page
    assert 'data-theme="dark"' in page


def test_a_report_of_several_runs_compares_them(call: Call, runs: Path, tmp_path: Path) -> None:
    called = call(
        "report", runs / "adam", runs / "momentum", runs / "sgd", "-o", tmp_path / "p.html", "--figures", "main"
    )
    assert called.code == 0
    assert "Comparison of 3 runs" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_a_report_without_a_run_is_refused(call: Call) -> None:
    assert call("report").code == 2


def test_a_folder_that_does_not_exist_is_named(call: Call, runs: Path, tmp_path: Path) -> None:
    called = call("report", runs / "adam", "--out", tmp_path / "no" / "page.html")
    assert called.code == 2
    assert "create it first" in called.err
